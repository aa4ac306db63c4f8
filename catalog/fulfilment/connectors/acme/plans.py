"""Plans for an external authority: what is to be issued or revoked, as a document and as lines for an approver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.fulfilment.connectors.acme.ordering import Wish
from catalog.fulfilment.connectors.acme.place import DNS_01, AcmePlace
from catalog.fulfilment.connectors.acme.records import Ordered
from catalog.fulfilment.connectors.ca import names
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.parameters import checked_csr, same_names
from catalog.fulfilment.connectors.ca.profiles import REASONS
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from portal.core.canonical import digest
from portal.core.language import _, every_language, say

KIND = "acme"
ISSUE = "issue"
REVOKE = "revoke"
ENDED = "cessationOfOperation"


def plan_issue(place: AcmePlace, order: Order, *, valid: bool, key: str, csr: CsrFacts) -> Plan:
    """The certificate that the order asks for; `valid` says that there is one already."""
    return Plan(
        connector=KIND,
        action=ISSUE,
        target=place.host,
        lines=_lines(place, csr),
        document=document_of(place, order, csr),
        inverse={"revoke": key, "reason": ENDED},
        already_true=valid,
        warnings=_warnings(csr),
    )


def plan_revoke(place: AcmePlace, record: Ordered, reason: str) -> Plan:
    """The revocation that the order asks for."""
    of = {"serial": record.serial, "name": record.names[0]}
    line = (
        PlanLine("keep", say("The certificate %(serial)s for %(name)s is revoked already", **of))
        if record.revoked
        else PlanLine("remove", say("Revoke the certificate %(serial)s for %(name)s", **of))
    )
    why = say("Reason: %(title)s (%(reason)s)", title=say(REASONS[reason]), reason=reason)
    return Plan(
        connector=KIND,
        action=REVOKE,
        target=place.host,
        lines=(
            line,
            PlanLine("note", _names_line(record.names)),
            PlanLine("note", why),
            PlanLine("note", say("A revoked certificate never becomes valid again")),
        ),
        document={"serial": record.serial, "reason": reason, "entitlement": record.entitlement},
        inverse={},
        already_true=bool(record.revoked),
    )


def ordered_csr(place: AcmePlace, order: Order) -> CsrFacts:
    """The signing request of the order. Raises a permanent ConnectorError for names that cannot be proven."""
    csr = checked_csr(order.parameters.get("csr"))
    same_names(order.parameters.get("names"), csr)
    if csr.ip_addresses:
        message = say(
            "%(host)s certifies DNS names only; take %(addresses)s out of the certificate signing request.",
            host=place.host,
            addresses=", ".join(csr.ip_addresses),
        )
        raise ConnectorError(message, permanent=True)
    if csr.wildcard and place.challenge != DNS_01:
        message = say(
            "A name with a star can only be proven by a record in DNS, which this portal cannot set. "
            "Name the servers one by one, or ask the operators to set ACME_DNS_HOOK."
        )
        raise ConnectorError(message, permanent=True)
    return csr


def ordered_reason(order: Order) -> str:
    """The reason of a revocation. Raises a permanent ConnectorError for one that is none."""
    reason = order.parameters.get("reason", ENDED)
    if not isinstance(reason, str) or reason not in REASONS:
        message = say(
            "“%(reason)s” is no reason for revoking. Choose one of: %(reasons)s.",
            reason=reason,
            reasons=", ".join(REASONS),
        )
        raise ConnectorError(message, permanent=True)
    return reason


def document_of(place: AcmePlace, order: Order, csr: CsrFacts) -> dict[str, Any]:
    """What the certificate is to be, for machines. How long it lasts is the authority's to say."""
    return {
        "directory": place.directory,
        "names": list(csr.names),
        "csr": csr.pem,
        "csr_sha256": csr.sha256,
        "spki_sha256": csr.spki_sha256,
        "reference": order.reference,
    }


def certificate_key(document: Mapping[str, Any]) -> str:
    """The identity of one request's certificate: key, names and request, so that a renewal has its own."""
    of_names = digest(sorted(document["names"])).removeprefix("sha256:")
    return f"{KIND}:{document['spki_sha256'][:32]}:{of_names[:32]}:{document['reference']}"


def wish_of(place: AcmePlace, plan: Plan) -> Wish:
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
    if document["directory"] != place.directory:
        message = say(
            "The certificate authority is %(host)s now; the plan names another. Order the certificate anew.",
            host=place.host,
        )
        raise ConnectorError(message, permanent=True)
    return Wish(certificate_key(document), document["reference"], csr)


def _lines(place: AcmePlace, csr: CsrFacts) -> tuple[PlanLine, ...]:
    first = every_language(lambda: names.shown(csr.names[0]))
    key = csr.key_kind
    if csr.key_kind == "RSA":
        key = say("%(kind)s, %(bits)s bits", kind=csr.key_kind, bits=csr.key_bits)
    how = (
        say("Each name is proven by a record in DNS (dns-01)")
        if place.challenge == DNS_01
        else say("Each name must lead to this portal, which proves it by a file (http-01)")
    )
    return (
        PlanLine(
            "add",
            say("Have %(host)s issue a TLS server certificate for %(name)s", host=place.host, name=first),
        ),
        PlanLine("note", _names_line(csr.names)),
        PlanLine(
            "note", say("Key: %(key)s, request signed with %(signature)s", key=key, signature=csr.signature)
        ),
        PlanLine("note", say("SHA-256 of the public key: %(digest)s", digest=csr.spki_sha256)),
        PlanLine("note", how),
        PlanLine("note", say("How long it is valid is decided by the authority")),
    )


def _names_line(every: tuple[str, ...]) -> str:
    return every_language(lambda: _("Names: %(names)s", names=", ".join(names.shown(name) for name in every)))


def _warnings(csr: CsrFacts) -> tuple[str, ...]:
    if not csr.wildcard:
        return ()
    return (
        say("A name with a star stands for every server of its domain, so one more person must approve."),
    )
