"""Plans of the CA: what is to be issued or revoked, as a document and as lines for an approver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.fulfilment.connectors.ca import names, signing
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority, Wanted
from catalog.fulfilment.connectors.ca.csr import CsrError, CsrFacts, read_csr
from catalog.fulfilment.connectors.ca.profiles import PROFILES, REASONS, Profile
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from portal.core.canonical import digest
from portal.core.language import _, every_language, say

KIND = "ca"
ISSUE = "issue"
REVOKE = "revoke"
ENDED = "cessationOfOperation"


def plan_issue(authority: CertificateAuthority, order: Order) -> Plan:
    """The certificate that the order asks for. Raises ConnectorError when it cannot be had."""
    parameters = order.parameters
    csr = checked_csr(parameters.get("csr"))
    profile = _profile(parameters.get("profile", "tls-server"))
    days = _days(parameters.get("validity_days"), profile)
    _same_names(parameters.get("names"), csr)
    refuse_compromised(authority, csr)
    document = {
        "profile": profile.name,
        "subject": signing.certified_common_name(csr),
        "names": list(csr.names),
        "validity_days": days,
        "csr": csr.pem,
        "csr_sha256": csr.sha256,
        "spki_sha256": csr.spki_sha256,
        "issuer": authority.issuing.subject.rfc4514_string(),
        "reference": order.reference,
    }
    key = certificate_key(document)
    return Plan(
        connector=KIND,
        action=ISSUE,
        target=str(document["issuer"]),
        lines=_lines(csr, profile, days, str(document["issuer"])),
        document=document,
        inverse={"revoke": key, "reason": ENDED},
        already_true=authority.find_valid(key) is not None,
        warnings=_warnings(authority, csr, key),
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
    already = authority.records.find_revocation(record.serial) is not None
    of = {"serial": record.serial, "name": record.names[0]}
    line = (
        PlanLine("keep", say("The certificate %(serial)s for %(name)s is revoked already", **of))
        if already
        else PlanLine("remove", say("Revoke the certificate %(serial)s for %(name)s", **of))
    )
    return Plan(
        connector=KIND,
        action=REVOKE,
        target=authority.issuing.subject.rfc4514_string(),
        lines=(
            line,
            PlanLine("note", _names_line(record.names)),
            PlanLine(
                "note", say("Reason: %(title)s (%(reason)s)", title=say(REASONS[reason]), reason=reason)
            ),
            PlanLine("note", say("A revoked certificate never becomes valid again")),
        ),
        document={"serial": record.serial, "reason": reason, "entitlement": record.entitlement},
        inverse={},
        already_true=already,
    )


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
    profile = _profile(document["profile"])
    days = _days(document["validity_days"], profile)
    return Wanted(certificate_key(document), document["reference"], profile.name, csr, days)


def checked_csr(pem: object) -> CsrFacts:
    """The request's facts. Raises a permanent ConnectorError in the words of CsrError."""
    try:
        return read_csr(pem if isinstance(pem, str) else "")
    except CsrError as error:
        raise ConnectorError(error.message, permanent=True) from error


def refuse_compromised(authority: CertificateAuthority, csr: CsrFacts) -> None:
    """Raises a permanent ConnectorError for a key that was given up as known to others."""
    for record in authority.records.every():
        if record.spki_sha256 == csr.spki_sha256:
            revocation = authority.records.find_revocation(record.serial)
            if revocation and revocation.reason == "keyCompromise":
                message = say(
                    "The key of this request was reported as known to others (certificate %(serial)s). "
                    "Make a new key.",
                    serial=record.serial,
                )
                raise ConnectorError(message, permanent=True)


def known_certificate(authority: CertificateAuthority, serial: object) -> Issued:
    """The certificate with this serial, written in hex with or without colons."""
    text = str(serial or "").strip().lower().replace(":", "").removeprefix("0x").lstrip("0")
    record = authority.records.find_by_serial(text) if text else None
    if record is None:
        message = say(
            "This authority has issued no certificate with the serial number “%(serial)s”.",
            serial=str(serial or "")[:60],
        )
        raise ConnectorError(message, permanent=True)
    return record


def _profile(name: object) -> Profile:
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None:
        message = say(
            "There is no certificate profile “%(name)s”. Choose one of: %(profiles)s.",
            name=name,
            profiles=", ".join(PROFILES),
        )
        raise ConnectorError(message, permanent=True)
    return profile


def _days(value: object, profile: Profile) -> int:
    if value is None or value == "":
        return profile.usual_days
    text = str(value).strip()
    if (
        isinstance(value, bool)
        or not (text.isascii() and text.isdecimal())
        or not 1 <= int(text[:9]) <= profile.longest_days
    ):
        message = say(
            "A %(title)s is valid for 1 to %(most)s days; “%(given)s” is not in between.",
            title=say(profile.title),
            most=profile.longest_days,
            given=text[:20],
        )
        raise ConnectorError(message, permanent=True)
    return int(text)


def _same_names(expected: object, csr: CsrFacts) -> None:
    given = expected.replace(",", " ").split() if isinstance(expected, str) else expected
    if not given:
        return
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        message = say("The names of the order cannot be read. Give one name after the other.")
        raise ConnectorError(message, permanent=True)
    try:
        ordered = {name.strip() if names.is_ip(name) else names.dns_name(name) for name in given}
    except CsrError as error:
        raise ConnectorError(error.message, permanent=True) from error
    held = set(csr.names)
    if ordered - held:
        message = say(
            "The certificate signing request does not hold %(names)s. "
            "Make it with that name, or order without.",
            names=", ".join(sorted(ordered - held)),
        )
        raise ConnectorError(message, permanent=True)
    if held - ordered:
        message = say(
            "The certificate signing request also holds %(names)s, which was not ordered.",
            names=", ".join(sorted(held - ordered)),
        )
        raise ConnectorError(message, permanent=True)


def _lines(csr: CsrFacts, profile: Profile, days: int, issuer: str) -> tuple[PlanLine, ...]:
    key = csr.key_kind
    if csr.key_kind == "RSA":
        key = say("%(kind)s, %(bits)s bits", kind=csr.key_kind, bits=csr.key_bits)
    subject = signing.certified_common_name(csr)
    first = every_language(lambda: names.shown(csr.names[0]))
    lines = [
        PlanLine("add", say("Issue a %(title)s for %(name)s", title=say(profile.title), name=first)),
        PlanLine("note", _names_line(csr.names)),
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
        PlanLine("note", say("Issuer: %(name)s", name=issuer)),
    ]
    if csr.left_out:
        left_out = ", ".join(csr.left_out)
        lines.append(
            PlanLine(
                "note", say("Not certified, though the request holds it: %(left_out)s", left_out=left_out)
            )
        )
    return tuple(lines)


def _names_line(every: tuple[str, ...]) -> str:
    return every_language(lambda: _("Names: %(names)s", names=", ".join(names.shown(name) for name in every)))


def _warnings(authority: CertificateAuthority, csr: CsrFacts, key: str) -> tuple[str, ...]:
    warnings = []
    if csr.wildcard:
        warnings.append(
            say("A name with a star stands for every server of its domain, so one more person must approve.")
        )
    others = [
        r for r in authority.records.every() if r.spki_sha256 == csr.spki_sha256 and r.entitlement != key
    ]
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
