"""The ACME connector: certificates of an external authority, issued and revoked (RFC 8555)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from acme import messages
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.acme import ordering, plans
from catalog.fulfilment.connectors.acme.place import AcmePlace
from catalog.fulfilment.connectors.acme.records import Ordered, OrderRecords
from catalog.fulfilment.connectors.acme.server import Server
from catalog.fulfilment.connectors.acme.trouble import told
from catalog.fulfilment.connectors.ca.files import locked
from catalog.fulfilment.connectors.ca.profiles import REASONS
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
from portal.core.language import _, every_language, say

#: RFC 5280 §5.3.1. Authorities take few of them by ACME; the others are said as “unspecified”.
_CODES = {"keyCompromise": 1, "superseded": 4, "cessationOfOperation": 5}


class AcmeConnector:
    """Speaks to the authority of one directory, as the account in a folder of this machine."""

    kind = plans.KIND
    #: A certificate ends when it says, and is not made longer: it is renewed.
    keeps_time = True

    def __init__(self, place: AcmePlace, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._place = place
        self._records = OrderRecords(place.home)
        self._now = now

    def choices(self, name: str) -> Sequence[Choice]:
        """`reasons` for revoking."""
        if name == "reasons":
            return [Choice(reason, say(title)) for reason, title in REASONS.items()]
        message = say("The certificate authority offers no list “%(name)s”; it offers reasons.", name=name)
        raise ConnectorError(message, permanent=True)

    def plan(self, order: Order) -> Plan:
        """`issue` takes csr and names; `revoke` takes serial and reason."""
        if order.action == plans.ISSUE:
            csr = plans.ordered_csr(self._place, order)
            key = plans.certificate_key(plans.document_of(self._place, order, csr))
            with told(self._place.host):
                Server.reached(self._place)
                valid = self._find_valid(key) is not None
            return plans.plan_issue(self._place, order, valid=valid, key=key, csr=csr)
        if order.action == plans.REVOKE:
            reason = plans.ordered_reason(order)
            with told(self._place.host):
                record = self._known(order.parameters.get("serial"))
                Server.reached(self._place)
            return plans.plan_revoke(self._place, record, reason)
        message = say(
            "%(host)s cannot “%(action)s”; it can issue and revoke.",
            host=self._place.host,
            action=order.action,
        )
        raise ConnectorError(message, permanent=True)

    def entitlement_key(self, plan: Plan) -> str:
        """The certificate's identity, known before it has a serial number."""
        if plan.action == plans.REVOKE:
            return str(plan.document["entitlement"])
        return plans.certificate_key(plan.document)

    def removes(self, plan: Plan) -> str:
        """The key of the certificate that a revocation ends; empty for an issue."""
        return self.entitlement_key(plan) if plan.action == plans.REVOKE else ""

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Have the certificate issued or revoked, once."""
        if plan.action == plans.REVOKE:
            return self._revoke_by_order(plan)
        wish = plans.wish_of(self._place, plan)
        with told(self._place.host), self._locked(wish.entitlement):
            record = self._records.find(key)
            if record is None or not record.pem:
                valid = self._find_valid(wish.entitlement)
                if valid is not None:
                    self._records.keep(key, valid)
                record = valid or ordering.obtain(self._place, self._records, key, wish)
        line = say(
            "Certificate %(serial)s for %(name)s was issued", serial=record.serial, name=record.names[0]
        )
        return Outcome(_facts(record), (PlanLine("add", line),), _artefacts(record))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the authority hands out the certificate and it is neither revoked nor at its end."""
        with told(self._place.host):
            if plan.action == plans.REVOKE:
                Server.reached(self._place)
                record: Ordered | None = self._known(plan.document["serial"])
                return (
                    _read(record, self._state(record), present=bool(record.revoked)) if record else _nothing()
                )
            record = self._find(plan, key)
            if record is None or not record.pem:
                Server.reached(self._place)
                return _nothing()
            server = Server.signed_in(self._place)
            there = record.valid_at(self._now()) and ordering.is_there(server, record)
            state = self._state(record)
            if state == "valid" and not there:
                state = "gone"
            as_planned = record.spki_sha256 == plan.document["spki_sha256"] and sorted(
                record.names
            ) == sorted(plan.document["names"])
            return _read(record, state, present=there and as_planned)

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Revoke what the plan had issued; a certificate at its end, revoked or never issued is success."""
        if plan.action == plans.REVOKE:
            message = say("A revoked certificate never becomes valid again. Order a new one.")
            raise ConnectorError(message, permanent=True)
        with told(self._place.host), self._locked(plans.certificate_key(plan.document)):
            record = self._find(plan, key)
            if record is not None and not record.pem:
                # A worker died between ordering and fetching: whether there is a certificate, the authority knows.
                server = Server.signed_in(self._place)
                record = ordering.settle(self._place, server, self._records, record)
            else:
                Server.reached(self._place)
            if record is None:
                line = PlanLine("keep", say("No certificate was issued, so there is none to revoke"))
                return Outcome({"state": "not issued"}, (line,))
            if self._state(record) == "expired":
                text = say("Certificate %(serial)s has ended by itself", serial=record.serial)
                return Outcome(_facts(record) | {"state": "expired"}, (PlanLine("keep", text),))
            return self._revoke(record, plans.ENDED)

    def live(self) -> Iterable[Live]:
        """Every certificate that this account was given and that is neither revoked nor at its end."""
        with told(self._place.host):
            Server.reached(self._place)
            now = self._now()
            valid = {record.order: record for record in self._records.every() if record.valid_at(now)}
        return [Live(r.entitlement, _label(r), _facts(r), r.reference) for r in valid.values()]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The same names for the same key."""
        return {"names": list(plan.document["names"]), "spki_sha256": plan.document["spki_sha256"]}

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Revoke the certificate."""
        nobody = Beneficiary("", "", "")
        return Order(reference, plans.REVOKE, {"serial": live.facts["serial"], "reason": plans.ENDED}, nobody)

    def _revoke_by_order(self, plan: Plan) -> Outcome:
        with told(self._place.host), self._locked(str(plan.document["entitlement"])):
            return self._revoke(self._known(plan.document["serial"]), str(plan.document["reason"]))

    def _revoke(self, record: Ordered, reason: str) -> Outcome:
        if not record.revoked:
            server = Server.signed_in(self._place)
            try:
                server.revoke(record.chain[0], _CODES.get(reason, 0))
            except messages.Error as error:
                # Done by an earlier try that was cut off before it wrote it down, or by somebody else.
                if error.code != "alreadyRevoked":
                    raise
            after = replace(record, revoked=self._now().replace(microsecond=0).isoformat())
            self._records.keep_all(record, after)
            record = after
        text = say(
            "Certificate %(serial)s for %(name)s is revoked", serial=record.serial, name=record.names[0]
        )
        facts = _facts(record) | {"state": "revoked", "revoked_at": record.revoked}
        return Outcome(facts, (PlanLine("remove", text),))

    def _known(self, serial: object) -> Ordered:
        text = str(serial or "").strip().lower().replace(":", "").removeprefix("0x").lstrip("0")
        found = next((r for r in self._records.every() if r.serial == text), None) if text else None
        if found is None:
            message = say(
                "This account was given no certificate with the serial number “%(serial)s”.",
                serial=str(serial or "")[:60],
            )
            raise ConnectorError(message, permanent=True)
        return found

    def _find(self, plan: Plan, key: str) -> Ordered | None:
        entitlement = plans.certificate_key(plan.document)
        every = self._records.of_entitlement(entitlement)
        return self._records.find(key) or self._find_valid(entitlement) or (every[-1] if every else None)

    def _find_valid(self, entitlement: str) -> Ordered | None:
        now = self._now()
        return next((r for r in self._records.of_entitlement(entitlement) if r.valid_at(now)), None)

    def _state(self, record: Ordered) -> str:
        if record.revoked:
            return "revoked"
        return "valid" if record.valid_at(self._now()) else "expired"

    def _locked(self, entitlement: str) -> Any:
        return locked(self._records.lock_of(entitlement), wait=self._place.patience)


def _facts(record: Ordered) -> dict[str, Any]:
    return {
        "serial": record.serial,
        "names": list(record.names),
        "spki_sha256": record.spki_sha256,
        "not_before": record.not_before,
        "not_after": record.not_after,
        "order": record.order,
    }


def _label(record: Ordered) -> str:
    end = datetime.fromisoformat(record.not_after)
    return every_language(
        lambda: _("Certificate for %(name)s, until %(day)s", name=record.names[0], day=times.day(end))
    )


def _artefacts(record: Ordered) -> dict[str, bytes]:
    first, *above = [certificate.public_bytes(Encoding.PEM) for certificate in record.chain]
    chain = b"".join(above)
    return {"certificate.pem": first, "chain.pem": chain, "fullchain.pem": first + chain}


def _nothing() -> ReadBack:
    line = PlanLine("note", say("The authority has issued no certificate for this order"))
    return ReadBack(present=False, facts={"state": "not issued"}, lines=(line,))


def _read(record: Ordered, state: str, *, present: bool) -> ReadBack:
    says = {
        "valid": say("The authority says: certificate %(serial)s is valid", serial=record.serial),
        "revoked": say("The authority says: certificate %(serial)s is revoked", serial=record.serial),
        "expired": say("The authority says: certificate %(serial)s is expired", serial=record.serial),
        "gone": say("The authority has certificate %(serial)s no more", serial=record.serial),
    }
    return ReadBack(
        present=present,
        facts=_facts(record) | {"state": state},
        lines=(PlanLine("note", says[state]),),
        artefacts=_artefacts(record),
    )
