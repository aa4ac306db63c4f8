"""The CA connector: issues and revokes certificates of the built-in authority."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import plans
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.profiles import PROFILES, REASONS
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    Choice,
    ConnectorError,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from portal.core import times
from portal.core.language import N_, _, every_language, say

#: What the authority answers of a certificate, by the state that the facts name.
_STATES = {
    "valid": N_("The authority says: certificate %(serial)s is valid"),
    "revoked": N_("The authority says: certificate %(serial)s is revoked"),
    "expired": N_("The authority says: certificate %(serial)s is expired"),
}


class CaConnector:
    """Speaks to a certificate authority in a folder of this machine."""

    kind = plans.KIND

    def __init__(self, authority: CertificateAuthority) -> None:
        self._authority = authority

    def choices(self, name: str) -> Sequence[Choice]:
        """`profiles` and `reasons`."""
        if name == "profiles":
            return [
                Choice(
                    p.name,
                    say(p.title),
                    say("%(purpose)s; at most %(days)s days", purpose=say(p.purpose), days=p.longest_days),
                )
                for p in PROFILES.values()
            ]
        if name == "reasons":
            return [Choice(reason, say(title)) for reason, title in REASONS.items()]
        message = say(
            "The certificate authority offers no list “%(name)s”; it offers profiles and reasons.", name=name
        )
        raise ConnectorError(message, permanent=True)

    def plan(self, order: Order) -> Plan:
        """`issue` takes csr, names, validity_days and profile; `revoke` takes serial and reason."""
        draw = {plans.ISSUE: plans.plan_issue, plans.REVOKE: plans.plan_revoke}.get(order.action)
        if draw is None:
            message = say(
                "The certificate authority cannot “%(action)s”; it can issue and revoke.", action=order.action
            )
            raise ConnectorError(message, permanent=True)
        with _told():
            return draw(self._authority, order)

    def entitlement_key(self, plan: Plan) -> str:
        """The certificate's identity, known before it has a serial number."""
        if plan.action == plans.REVOKE:
            return str(plan.document["entitlement"])
        return plans.certificate_key(plan.document)

    def removes(self, plan: Plan) -> str:
        """The key of the certificate that a revocation ends; empty for an issue."""
        return self.entitlement_key(plan) if plan.action == plans.REVOKE else ""

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Issue or revoke, once."""
        with _told():
            if plan.action == plans.REVOKE:
                record = plans.known_certificate(self._authority, plan.document["serial"])
                return self._revoke(record, str(plan.document["reason"]))
            wanted = plans.wanted(plan)
            issuer = self._authority.issuing.subject.rfc4514_string()
            if plan.document["issuer"] != issuer:
                message = say(
                    "The issuing CA is %(issuer)s now; the plan names another. Order the certificate anew.",
                    issuer=issuer,
                )
                raise ConnectorError(message, permanent=True)
            if self._authority.records.find_by_key(key) is None:
                plans.refuse_compromised(self._authority, wanted.csr)
            record = self._authority.issue(key, wanted)
            text = say(
                "Certificate %(serial)s for %(name)s was issued", serial=record.serial, name=record.names[0]
            )
            return Outcome(
                facts=_facts(record),
                lines=(PlanLine("add", text),),
                artefacts=self._artefacts(record),
            )

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the certificate is there, whole and valid; or, for a revocation, whether it is revoked."""
        with _told():
            if plan.action == plans.REVOKE:
                revoked = plans.known_certificate(self._authority, plan.document["serial"])
                return self._read(revoked, present=self._state(revoked)["state"] == "revoked")
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("note", say("The authority has issued no certificate for this order"))
                return ReadBack(present=False, facts={"state": "not issued"}, lines=(line,))
            as_planned = (
                record.spki_sha256 == plan.document["spki_sha256"]
                and sorted(record.names) == sorted(plan.document["names"])
                and self._is_whole(record)
            )
            return self._read(record, present=as_planned and self._state(record)["state"] == "valid")

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Revoke what the plan issued; a certificate at its end, revoked or never issued is success."""
        with _told():
            if plan.action == plans.REVOKE:
                message = say("A revoked certificate never becomes valid again. Order a new one.")
                raise ConnectorError(message, permanent=True)
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("keep", say("No certificate was issued, so there is none to revoke"))
                return Outcome(facts={"state": "not issued"}, lines=(line,))
            if self._state(record)["state"] == "expired":
                line = PlanLine(
                    "keep", say("Certificate %(serial)s has ended by itself", serial=record.serial)
                )
                return Outcome(facts=_facts(record) | self._state(record), lines=(line,))
            return self._revoke(record, plans.ENDED)

    def live(self) -> Iterable[Live]:
        """Every certificate that is neither at its end nor revoked."""
        with _told():
            return [
                Live(
                    key=record.entitlement,
                    label=_label(record),
                    facts=_facts(record),
                    reference=record.reference,
                )
                for record in self._authority.valid()
            ]

    def expected_facts(self, plan: Plan) -> Json:
        """The same names by the same profile for the same key."""
        document = plan.document
        return {
            "names": list(document["names"]),
            "profile": document["profile"],
            "spki_sha256": document["spki_sha256"],
        }

    def removal(self, live: Live, reference: str) -> Order | None:
        """Revoke the certificate."""
        return Order(
            reference,
            plans.REVOKE,
            {"serial": live.facts["serial"], "reason": plans.ENDED},
            Beneficiary("", "", ""),
        )

    def _find(self, plan: Plan, key: str) -> Issued | None:
        by_key = self._authority.records.find_by_key(key)
        if by_key is not None:
            return by_key
        wanted = plans.certificate_key(plan.document)
        every = [record for record in self._authority.records.every() if record.entitlement == wanted]
        return self._authority.find_valid(wanted) or (every[-1] if every else None)

    def _state(self, record: Issued) -> dict[str, Any]:
        revocation = self._authority.records.find_revocation(record.serial)
        if revocation:
            return {"state": "revoked", "reason": revocation.reason, "revoked_at": revocation.at.isoformat()}
        return {"state": "valid" if record.not_after > self._authority.now() else "expired"}

    def _is_whole(self, record: Issued) -> bool:
        try:
            certificate = record.x509()
            certificate.verify_directly_issued_by(self._authority.issuing)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        held = [
            *names.get_values_for_type(x509.DNSName),
            *map(str, names.get_values_for_type(x509.IPAddress)),
        ]
        return sorted(held) == sorted(record.names) and f"{certificate.serial_number:x}" == record.serial

    def _read(self, record: Issued, *, present: bool) -> ReadBack:
        state = self._state(record)
        return ReadBack(
            present=present,
            facts=_facts(record) | state,
            lines=(PlanLine("note", say(_STATES[state["state"]], serial=record.serial)),),
            artefacts=self._artefacts(record),
        )

    def _revoke(self, record: Issued, reason: str) -> Outcome:
        self._authority.revoke(record, reason)
        text = say(
            "Certificate %(serial)s for %(name)s is revoked", serial=record.serial, name=record.names[0]
        )
        return Outcome(facts=_facts(record) | self._state(record), lines=(PlanLine("remove", text),))

    def _artefacts(self, record: Issued) -> dict[str, bytes]:
        certificate = record.certificate.encode("ascii")
        chain = self._authority.issuing.public_bytes(Encoding.PEM)
        return {"certificate.pem": certificate, "chain.pem": chain, "fullchain.pem": certificate + chain}


def _facts(record: Issued) -> dict[str, Any]:
    return {
        "serial": record.serial,
        "names": list(record.names),
        "profile": record.profile,
        "spki_sha256": record.spki_sha256,
        "not_before": record.not_before.isoformat(),
        "not_after": record.not_after.isoformat(),
    }


def _label(record: Issued) -> str:
    def speak() -> str:
        return _(
            "Certificate for %(name)s, until %(day)s",
            name=record.names[0],
            day=times.day(record.not_after),
        )

    return every_language(speak)


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence that the authority's folder cannot be reached; a mount may come back, so it is passing."""
    try:
        yield
    except OSError as error:
        message = say(
            "The certificate authority's folder cannot be used (%(words)s). "
            "The portal tries again by itself; if this lasts, an operator must look at the folder.",
            words=error.strerror or error,
        )
        raise ConnectorError(message) from error
