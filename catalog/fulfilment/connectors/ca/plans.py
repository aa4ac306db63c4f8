"""Plans of the CA: what is to be issued or revoked, as a document and as lines for an approver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.fulfilment.connectors.ca import names, signing
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority, Wanted
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.parameters import (
    checked_csr,
    days_of,
    issuer_for,
    known_certificate,
    profile_of,
    refuse_compromised,
    same_names,
)
from catalog.fulfilment.connectors.ca.profiles import PROFILES, REASONS
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from portal.core.canonical import digest
from portal.core.language import _, every_language, say

KIND = "ca"
ISSUE = "issue"
REVOKE = "revoke"
RENEW = "renew"
ENDED = "cessationOfOperation"


def plan_issue(authority: CertificateAuthority, order: Order) -> Plan:
    """The certificate that the order asks for. Raises ConnectorError when it cannot be had."""
    parameters = order.parameters
    csr = checked_csr(parameters.get("csr"))
    same_names(parameters.get("names"), csr)
    document = certificate_document(authority, order, csr)
    key = certificate_key(document)
    return Plan(
        connector=KIND,
        action=ISSUE,
        target=str(document["issuer"]),
        lines=_lines(authority, csr, document),
        document=document,
        inverse={"revoke": key, "reason": ENDED},
        already_true=authority.find_valid(key) is not None,
        warnings=warnings_of(authority, csr, key),
    )


def plan_revoke(authority: CertificateAuthority, order: Order) -> Plan:
    """The revocation that the order asks for."""
    reason = order.parameters.get("reason", ENDED)
    if reason not in REASONS:
        message = say(
            "“%(reason)s” is no reason for revoking. Choose one of: %(reasons)s.",
            reason=reason,
            reasons=", ".join(REASONS),
        )
        raise ConnectorError(message, permanent=True)
    record = known_certificate(authority, order.parameters.get("serial"))
    already = authority.revocation_of(record.serial) is not None
    of = {"serial": record.serial, "name": record.names[0]}
    line = (
        PlanLine("keep", say("The certificate %(serial)s for %(name)s is revoked already", **of))
        if already
        else PlanLine("remove", say("Revoke the certificate %(serial)s for %(name)s", **of))
    )
    return Plan(
        connector=KIND,
        action=REVOKE,
        target=authority.issuers.get(record.issuer).title,
        lines=(
            line,
            PlanLine("note", names_line(record.names)),
            PlanLine(
                "note", say("Reason: %(title)s (%(reason)s)", title=say(REASONS[reason]), reason=reason)
            ),
            PlanLine("note", say("A revoked certificate never becomes valid again")),
        ),
        document={"serial": record.serial, "reason": reason, "entitlement": record.entitlement},
        inverse={},
        already_true=already,
    )


def certificate_document(authority: CertificateAuthority, order: Order, csr: CsrFacts) -> dict[str, Any]:
    """What the certificate is to be, for machines. Raises ConnectorError when it cannot be had."""
    profile = profile_of(order.parameters.get("profile", "tls-server"))
    days = days_of(order.parameters.get("validity_days"), profile)
    refuse_compromised(authority, csr)
    unit = order.parameters.get("unit")
    issuer = issuer_for(authority, unit, csr)
    return {
        "profile": profile.name,
        "subject": signing.certified_common_name(csr),
        "names": list(csr.names),
        "validity_days": days,
        "csr": csr.pem,
        "csr_sha256": csr.sha256,
        "spki_sha256": csr.spki_sha256,
        "issuer": issuer.title,
        "reference": order.reference,
        **({"unit": unit} if unit else {}),
    }


def certificate_key(document: Mapping[str, Any]) -> str:
    """The identity of one request's certificate: kind, key, names and request, so that a renewal has its own."""
    of_names = digest(sorted(document["names"])).removeprefix("sha256:")
    return (
        f"{KIND}:{document['profile']}:{document['spki_sha256'][:32]}:{of_names[:32]}:{document['reference']}"
    )


def wanted(plan: Plan) -> Wanted:
    """What the plan has issued, read from its own request again: the rest of the document must agree with it."""
    document = plan.document
    csr = checked_csr(document["csr"])
    if (csr.sha256, csr.spki_sha256, list(csr.names)) != (
        document["csr_sha256"],
        document["spki_sha256"],
        list(document["names"]),
    ):
        message = say("The plan and the certificate signing request in it do not agree. Order it anew.")
        raise ConnectorError(message, permanent=True)
    profile = profile_of(document["profile"])
    days = days_of(document["validity_days"], profile)
    return Wanted(certificate_key(document), document["reference"], profile.name, csr, days)


def _lines(
    authority: CertificateAuthority, csr: CsrFacts, document: Mapping[str, Any]
) -> tuple[PlanLine, ...]:
    profile = PROFILES[document["profile"]]
    first = every_language(lambda: names.shown(csr.names[0]))
    issue = say("Issue a %(title)s for %(name)s", title=say(profile.title), name=first)
    return (PlanLine("add", issue), *certificate_lines(authority, csr, document))


def certificate_lines(
    authority: CertificateAuthority, csr: CsrFacts, document: Mapping[str, Any]
) -> tuple[PlanLine, ...]:
    """What the certificate will say, a line each."""
    profile, subject, days = PROFILES[document["profile"]], document["subject"], document["validity_days"]
    key = csr.key_kind
    if csr.key_kind == "RSA":
        key = say("%(kind)s, %(bits)s bits", kind=csr.key_kind, bits=csr.key_bits)
    lines = [
        PlanLine("note", names_line(csr.names)),
        PlanLine(
            "note",
            say("Subject: CN=%(name)s", name=subject)
            if subject
            else say("Subject: none; the names stand for it"),
        ),
        PlanLine(
            "note",
            say("Key: %(key)s, request signed with %(signature)s", key=key, signature=csr.signature),
        ),
        PlanLine("note", say("SHA-256 of the public key: %(digest)s", digest=csr.spki_sha256)),
        PlanLine("note", say("Valid for %(days)s days from the moment of issue", days=days)),
        PlanLine(
            "note",
            say("Profile: %(name)s, %(purpose)s", name=profile.name, purpose=say(profile.purpose)),
        ),
        PlanLine("note", say("Issuer: %(name)s", name=document["issuer"])),
    ]
    bounds = authority.issuers.for_unit(document.get("unit", "")).bounds
    if bounds:
        lines.append(
            PlanLine("note", say("This issuer may certify only: %(allowed)s", allowed=bounds.shown()))
        )
    if csr.left_out:
        left_out = ", ".join(csr.left_out)
        lines.append(
            PlanLine(
                "note", say("Not certified, though the request holds it: %(left_out)s", left_out=left_out)
            )
        )
    return tuple(lines)


def names_line(every: tuple[str, ...]) -> str:
    """All names, as people read them."""
    return every_language(lambda: _("Names: %(names)s", names=", ".join(names.shown(name) for name in every)))


def warnings_of(authority: CertificateAuthority, csr: CsrFacts, key: str) -> tuple[str, ...]:
    """What an approver should look at twice."""
    warnings = []
    if csr.wildcard:
        warnings.append(
            say("A name with a star stands for every server of its domain, so one more person must approve.")
        )
    others = [r for r in authority.records.of_public_key(csr.spki_sha256) if r.entitlement != key]
    if others:
        last = others[-1]
        of = {"serial": last.serial, "name": last.names[0], "reference": last.reference}
        warnings.append(
            say(
                "This key is used again: certificate %(serial)s for %(name)s has it (%(reference)s). "
                "A new key for each certificate is safer.",
                **of,
            )
            if last.reference
            else say(
                "This key is used again: certificate %(serial)s for %(name)s has it. "
                "A new key for each certificate is safer.",
                **of,
            )
        )
    return tuple(warnings)
