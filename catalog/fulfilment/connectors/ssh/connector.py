"""The SSH connector: signs a person's key for hours, and takes the certificate back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from catalog.fulfilment.connectors.contract import (
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
from catalog.fulfilment.connectors.ssh import plans
from catalog.fulfilment.connectors.ssh.authority import SshAuthority, Wanted
from catalog.fulfilment.connectors.ssh.records import Signed
from portal.core.language import N_, say

_STATES = {
    "valid": N_("The SSH authority says: certificate %(serial)s is valid"),
    "revoked": N_("The SSH authority says: certificate %(serial)s is revoked"),
    "expired": N_("The SSH authority says: certificate %(serial)s has ended"),
}


class SshConnector:
    """Speaks to an SSH authority in a folder. `principals` are the accounts that it may open."""

    kind = plans.KIND
    #: A certificate ends when it says, and is not made longer.
    keeps_time = True

    def __init__(self, authority: SshAuthority, principals: Sequence[str]) -> None:
        self._authority = authority
        self._principals = tuple(principals)

    def choices(self, name: str) -> Sequence[Choice]:
        """`principals`: the accounts on the servers that may be asked for."""
        if name != "principals":
            message = say("The SSH authority offers no list “%(name)s”; it offers principals.", name=name)
            raise ConnectorError(message, permanent=True)
        return [Choice(principal, principal) for principal in self._principals]

    def plan(self, order: Order) -> Plan:
        """What signing `public_key` for `principals` would bring; `source_addresses` and `forced_command` narrow it."""
        document = plans.document_of(order, self._principals, self._authority.now())
        with _told():
            self._authority.public_file.stat()
            wanted = document | {"reference": order.reference}
            live = self._authority.find_valid(plans.certificate_key(wanted))
        return plans.draw(document, order.reference, already=live is not None)

    def entitlement_key(self, plan: Plan) -> str:
        """The certificate's key."""
        return plans.certificate_key(dict(plan.document))

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Sign, once; the certificate is a file for the requester."""
        document = plan.document
        until = plans.until_of(document, self._authority.now())
        with _told():
            kept = self._authority.records.find(key)
            if kept is None and until - self._authority.now() > plans.LONGEST:
                raise ConnectorError(
                    say("An SSH certificate lasts 24 hours at most. Ask for less."), permanent=True
                )
            record = kept or self._authority.sign(
                key,
                Wanted(
                    entitlement=self.entitlement_key(plan),
                    reference=document["reference"],
                    key=plans.planned_key(plan),
                    key_id=f"{document['reference']} {document['for']}".strip(),
                    principals=tuple(document["principals"]),
                    source_addresses=tuple(document["source_addresses"]),
                    forced_command=document["forced_command"],
                    until=until,
                ),
            )
        line = say("The SSH certificate %(serial)s was signed", serial=str(record.serial))
        return Outcome(
            facts=plans.facts(record, "valid"),
            lines=(PlanLine("add", line),),
            artefacts=self._artefacts(record),
        )

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the certificate is there and lets somebody in."""
        with _told():
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("note", say("The SSH authority has signed nothing for this order"))
                return ReadBack(present=False, facts={"state": "not signed"}, lines=(line,))
            state = self._authority.state_of(record)
            return ReadBack(
                present=state == "valid",
                facts=plans.facts(record, state),
                lines=(PlanLine("note", say(_STATES[state], serial=str(record.serial))),),
                artefacts=self._artefacts(record),
            )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Take the certificate back; one that has ended or was never signed is success."""
        with _told():
            record = self._find(plan, key)
            if record is None:
                line = PlanLine("keep", say("No certificate was signed, so there is none to take back"))
                return Outcome(facts={"state": "not signed"}, lines=(line,))
            if self._authority.state_of(record) == "valid":
                self._authority.revoke(record)
            state = self._authority.state_of(record)
        line = PlanLine(
            "remove", say("The SSH certificate %(serial)s opens nothing any more", serial=str(record.serial))
        )
        return Outcome(facts=plans.facts(record, state), lines=(line,))

    def live(self) -> Iterable[Live]:
        """Every certificate that lets somebody in now."""
        with _told():
            return [
                Live(
                    key=record.entitlement,
                    label=say(
                        "SSH certificate of %(who)s as %(names)s",
                        who=record.key_id,
                        names=", ".join(record.principals),
                    ),
                    facts=plans.facts(record, "valid"),
                    reference=record.reference,
                )
                for record in self._authority.valid()
            ]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The same key, for the same accounts."""
        return {
            "fingerprint": plan.document["fingerprint"],
            "principals": list(plan.document["principals"]),
        }

    def _find(self, plan: Plan, key: str) -> Signed | None:
        by_key = self._authority.records.find(key)
        if by_key is not None:
            return by_key
        wanted = self.entitlement_key(plan)
        every = [record for record in self._authority.records.every() if record.entitlement == wanted]
        return self._authority.find_valid(wanted) or (every[-1] if every else None)

    def _artefacts(self, record: Signed) -> dict[str, bytes]:
        return {"id-cert.pub": record.certificate.encode("ascii") + b"\n"}


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence that the authority's folder cannot be used; a mount may come back, so it is passing."""
    try:
        yield
    except OSError as error:
        message = say(
            "The SSH authority's folder cannot be used (%(words)s). The portal tries again by itself; if this lasts, an operator must look at the folder.",
            words=error.strerror or str(error),
        )
        raise ConnectorError(message) from error
