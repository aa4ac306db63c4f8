"""The CA connector: issues, renews and revokes certificates of the built-in authority."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import parameters, plans, renewing
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.profiles import PROFILES, REASONS
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.ca.showing import facts_of, is_whole, label_of, told
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
    #: A certificate ends when it says, and is not made longer: it is renewed.
    keeps_time = True

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
        """`issue` takes csr, names, validity_days, profile and unit; `revoke` takes serial and reason.

        `renew` takes serial, csr, validity_days, profile, unit and overlap_days.
        """
        draw = {
            plans.ISSUE: plans.plan_issue,
            plans.RENEW: renewing.plan_renew,
            plans.REVOKE: plans.plan_revoke,
        }.get(order.action)
        if draw is None:
            message = say(
                "The certificate authority cannot “%(action)s”; it can issue, renew and revoke.",
                action=order.action,
            )
            raise ConnectorError(message, permanent=True)
        with told():
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
        """Issue, renew or revoke, once."""
        with told():
            if plan.action == plans.REVOKE:
                record = parameters.known_certificate(self._authority, plan.document["serial"])
                return self._revoke(record, str(plan.document["reason"]))
            record = self._issue(plan, key)
            text = say(
                "Certificate %(serial)s for %(name)s was issued", serial=record.serial, name=record.names[0]
            )
            lines = [PlanLine("add", text)]
            if plan.action == plans.RENEW:
                lines.append(self._end_present(plan, record))
            return Outcome(facts=facts_of(record), lines=tuple(lines), artefacts=self._artefacts(record))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the certificate is there, whole and valid; or, for a revocation, whether it is revoked."""
        with told():
            if plan.action == plans.REVOKE:
                revoked = parameters.known_certificate(self._authority, plan.document["serial"])
                return self._read(revoked, present=self._state(revoked)["state"] == "revoked")
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("note", say("The authority has issued no certificate for this order"))
                return ReadBack(present=False, facts={"state": "not issued"}, lines=(line,))
            as_planned = (
                record.spki_sha256 == plan.document["spki_sha256"]
                and sorted(record.names) == sorted(plan.document["names"])
                and is_whole(self._authority, record)
            )
            if plan.action == plans.RENEW:
                present = parameters.known_certificate(self._authority, plan.document["renews"])
                as_planned = as_planned and renewing.is_ended(self._authority, present)
            read = self._read(record, present=as_planned and self._state(record)["state"] == "valid")
            if plan.action == plans.RENEW:
                read = replace(read, facts={**read.facts, **self._replaced(present)})
            return read

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Revoke what the plan issued; a certificate at its end, revoked or never issued is success.

        What a renewal was to end later stays.
        """
        with told():
            if plan.action == plans.REVOKE:
                message = say("A revoked certificate never becomes valid again. Order a new one.")
                raise ConnectorError(message, permanent=True)
            if plan.action == plans.RENEW:
                self._authority.keep_on(
                    parameters.known_certificate(self._authority, plan.document["renews"])
                )
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("keep", say("No certificate was issued, so there is none to revoke"))
                return Outcome(facts={"state": "not issued"}, lines=(line,))
            if self._state(record)["state"] == "expired":
                line = PlanLine(
                    "keep", say("Certificate %(serial)s has ended by itself", serial=record.serial)
                )
                return Outcome(facts=facts_of(record) | self._state(record), lines=(line,))
            return self._revoke(record, plans.ENDED)

    def live(self) -> Iterable[Live]:
        """Every certificate that is neither at its end nor revoked."""
        with told():
            return [
                Live(
                    key=record.entitlement,
                    label=label_of(record),
                    facts=facts_of(record),
                    reference=record.reference,
                )
                for record in self._authority.valid()
            ]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The same names by the same profile for the same key."""
        document = plan.document
        return {
            "names": list(document["names"]),
            "profile": document["profile"],
            "spki_sha256": document["spki_sha256"],
        }

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Revoke the certificate."""
        return Order(
            reference,
            plans.REVOKE,
            {"serial": live.facts["serial"], "reason": plans.ENDED},
            Beneficiary("", "", ""),
        )

    def _issue(self, plan: Plan, key: str) -> Issued:
        wanted, unit = plans.wanted(plan), str(plan.document.get("unit", ""))
        issuer = parameters.issuer_for(self._authority, unit, wanted.csr)
        if plan.document["issuer"] != issuer.title:
            message = say(
                "The issuing CA is %(issuer)s now; the plan names another. Order the certificate anew.",
                issuer=issuer.title,
            )
            raise ConnectorError(message, permanent=True)
        if self._authority.records.find_by_key(key) is None:
            parameters.refuse_compromised(self._authority, wanted.csr)
        return self._authority.issue(key, wanted, unit)

    def _end_present(self, plan: Plan, renewed: Issued) -> PlanLine:
        present = parameters.known_certificate(self._authority, plan.document["renews"])
        at = renewing.end_of_present(present, renewed, plan.document)
        if self._authority.revocation_of(present.serial) is None:
            at = self._authority.end_later(present, at).at

        def speak() -> str:
            return _(
                "Certificate %(serial)s, which it replaces, is revoked on %(day)s",
                serial=present.serial,
                day=times.day(at),
            )

        return PlanLine("remove", every_language(speak))

    def _replaced(self, present: Issued) -> dict[str, str]:
        """What a renewal ends, and when, for the record of what is live."""
        end = self._authority.records.find_end(present.serial)
        until = {"replaced_until": end.at.isoformat(), "replaces": present.entitlement} if end else {}
        return {"renews": present.serial, **until}

    def _find(self, plan: Plan, key: str) -> Issued | None:
        by_key = self._authority.records.find_by_key(key)
        if by_key is not None:
            return by_key
        wanted = plans.certificate_key(plan.document)
        every = self._authority.records.of_entitlement(wanted)
        return self._authority.find_valid(wanted) or (every[-1] if every else None)

    def _state(self, record: Issued) -> dict[str, Any]:
        revocation = self._authority.revocation_of(record.serial)
        if revocation:
            return {"state": "revoked", "reason": revocation.reason, "revoked_at": revocation.at.isoformat()}
        return {"state": "valid" if record.not_after > self._authority.now() else "expired"}

    def _read(self, record: Issued, *, present: bool) -> ReadBack:
        state = self._state(record)
        return ReadBack(
            present=present,
            facts=facts_of(record) | state,
            lines=(PlanLine("note", say(_STATES[state["state"]], serial=record.serial)),),
            artefacts=self._artefacts(record),
        )

    def _revoke(self, record: Issued, reason: str) -> Outcome:
        self._authority.revoke(record, reason)
        text = say(
            "Certificate %(serial)s for %(name)s is revoked", serial=record.serial, name=record.names[0]
        )
        return Outcome(facts=facts_of(record) | self._state(record), lines=(PlanLine("remove", text),))

    def _artefacts(self, record: Issued) -> dict[str, bytes]:
        certificate = record.certificate.encode("ascii")
        chain = self._authority.issuers.get(record.issuer).certificate.public_bytes(Encoding.PEM)
        return {"certificate.pem": certificate, "chain.pem": chain, "fullchain.pem": certificate + chain}
