"""Renewing: the next certificate with the same names, and the present one ended after both were valid for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from catalog.fulfilment.connectors.ca import plans
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.parameters import checked_csr, known_certificate, overlap_of
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.ca.signing import BACKDATED
from catalog.fulfilment.connectors.contract import ConnectorError, Json, Order, Plan, PlanLine
from portal.core.language import every_language, ngettext, say


def plan_renew(authority: CertificateAuthority, order: Order) -> Plan:
    """The next certificate, and the end of the present one. Raises ConnectorError when it cannot be had."""
    present = known_certificate(authority, order.parameters.get("serial"))
    csr = checked_csr(order.parameters.get("csr"))
    _same_names(present, csr)
    document: dict[str, Any] = plans.certificate_document(authority, order, csr)
    document |= {
        "renews": present.serial,
        "renews_entitlement": present.entitlement,
        "overlap_days": overlap_of(order.parameters.get("overlap_days"), document["validity_days"]),
    }
    key = plans.certificate_key(document)
    issued = authority.find_valid(key)
    if issued is None:
        _must_be_valid(authority, present)
    return Plan(
        connector=plans.KIND,
        action=plans.RENEW,
        target=str(document["issuer"]),
        lines=_lines(authority, present, csr, document),
        document=document,
        inverse={"revoke": key, "reason": plans.ENDED, "keep": present.serial},
        already_true=issued is not None and is_ended(authority, present),
        warnings=plans.warnings_of(authority, csr, key),
    )


def end_of_present(present: Issued, renewed: Issued, document: Json) -> datetime:
    """When the present certificate ends: after the overlap, counted from the issue of the next one."""
    overlap = timedelta(days=int(document["overlap_days"]))
    return min(renewed.not_before + BACKDATED + overlap, present.not_after)


def is_ended(authority: CertificateAuthority, present: Issued) -> bool:
    """Whether the certificate has ended, or has its end arranged."""
    return (
        authority.records.find_end(present.serial) is not None
        or authority.revocation_of(present.serial) is not None
        or present.not_after <= authority.now()
    )


def _same_names(present: Issued, csr: CsrFacts) -> None:
    missing, new = set(present.names) - set(csr.names), set(csr.names) - set(present.names)
    if missing:
        message = say(
            "The certificate signing request does not hold %(names)s, which the present certificate has. "
            "A renewal keeps the names; for other names order a new certificate.",
            names=", ".join(sorted(missing)),
        )
        raise ConnectorError(message, permanent=True)
    if new:
        message = say(
            "The certificate signing request also holds %(names)s, which the present certificate does not have. "
            "A renewal keeps the names; for other names order a new certificate.",
            names=", ".join(sorted(new)),
        )
        raise ConnectorError(message, permanent=True)


def _must_be_valid(authority: CertificateAuthority, present: Issued) -> None:
    if authority.revocation_of(present.serial) is not None:
        message = say(
            "Certificate %(serial)s is revoked, so it is not renewed. Order a new certificate.",
            serial=present.serial,
        )
        raise ConnectorError(message, permanent=True)
    if authority.records.find_end(present.serial) is not None:
        message = say(
            "Certificate %(serial)s was renewed already. Renew the certificate that took its place.",
            serial=present.serial,
        )
        raise ConnectorError(message, permanent=True)


def _lines(
    authority: CertificateAuthority, present: Issued, csr: CsrFacts, document: Json
) -> tuple[PlanLine, ...]:
    of = {"serial": present.serial, "name": present.names[0], "reference": present.reference}
    days = int(document["overlap_days"])
    renew = (
        say("Renew the certificate %(serial)s for %(name)s, which %(reference)s had issued", **of)
        if present.reference
        else say("Renew the certificate %(serial)s for %(name)s", **of)
    )
    key = (
        say("The key is the same as before")
        if csr.spki_sha256 == present.spki_sha256
        else say("The key is a new one; before it was %(digest)s", digest=present.spki_sha256)
    )
    stays = every_language(
        lambda: ngettext(
            "The present certificate stays valid for %(number)s more day at most and is then revoked",
            "The present certificate stays valid for %(number)s more days at most and is then revoked",
            days,
        )
    )
    ended = say("The present certificate is revoked at once")
    lines = [
        PlanLine("add", renew),
        PlanLine("remove", stays if days else ended),
        PlanLine("keep", say("The names are the same as before")),
        PlanLine("keep" if csr.spki_sha256 == present.spki_sha256 else "change", key),
    ]
    before = authority.issuers.get(present.issuer).title
    if before != document["issuer"]:
        text = say("The issuer is %(new)s; before it was %(old)s", new=document["issuer"], old=before)
        lines.append(PlanLine("change", text))
    term = (present.not_after - present.not_before + timedelta(seconds=1)).days
    if term != document["validity_days"]:
        text = say(
            "It is valid for %(new)s days; before it was %(old)s", new=document["validity_days"], old=term
        )
        lines.append(PlanLine("change", text))
    return (*lines, *plans.certificate_lines(authority, csr, document))
