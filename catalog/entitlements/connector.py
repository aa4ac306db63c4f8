"""The entitlements room as a target: ending what a person has, one thing or all of it.

Like the manual connector its target is the portal's own record, so it opens sessions of its own; each thing is taken
away by the connector that brought it. It stands here and not among the connectors to outside systems, because what it
does cannot be reverted: what was taken away must be asked for anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from catalog.entitlements.ending import (
    close_entitlement,
    get_locked_entitlement,
    needed_by_another,
    tell_holder,
)
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    ConnectorPending,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step
from portal.core.database import Database
from portal.identity.model import Person

KIND = "entitlements"
END_ALL, END_ONE = "end_all", "end_one"
TARGET = "the portal's record of entitlements"
_NOT_BACK = "What was taken away is not given back by itself. It must be asked for anew."


class EntitlementsConnector:
    """Ends what requests of this portal brought. `connectors` gives the connectors that take it away."""

    kind = KIND

    def __init__(self, db: Database, connectors: Callable[[], Connectors]) -> None:
        self.db = db
        self._connectors = connectors

    def choices(self, name: str) -> Sequence[Choice]:
        """There are no lists: what a person has is shown to them and to those who decide."""
        raise ConnectorError(f"There is no list “{name}” of entitlements.", permanent=True)

    def plan(self, order: Order) -> Plan:
        """What would end, one line each.

        Ending all that a person has is one effect whatever comes and goes until then; the lines say what it is now.
        """
        _check(order)
        with self._reading() as session:
            entitlements = _named(session, order)
        who = f"{order.beneficiary.name} ({order.beneficiary.user_name})"
        gone = all(entitlement.state is EntitlementState.ENDED for entitlement in entitlements)
        lines = [
            PlanLine("keep" if e.state is EntitlementState.ENDED else "remove", _line(e))
            for e in entitlements
        ]
        nothing = PlanLine("note", f"{who} has nothing that this portal gave")
        return Plan(
            connector=KIND,
            action=order.action,
            target=TARGET,
            lines=tuple(lines) or (nothing,),
            document={
                "person": order.beneficiary.user_name,
                "key": str(order.parameters.get("key", "")).strip(),
                "reference": order.reference,
            },
            inverse={},
            already_true=gone,
        )

    def entitlement_key(self, plan: Plan) -> str:
        """Nothing comes to life."""
        return ""

    def brings_to_life(self, plan: Plan) -> bool:
        """Never: it only ends."""
        return False

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Take each thing away and write that it ended. One that fails keeps none of the others from ending.

        Raises ConnectorPending while people undo something by hand, and else the first error there was.
        """
        trouble: list[ConnectorError] = []
        with self._reading() as session:
            numbers = [entitlement.id for entitlement in _found(session, plan.document)]
        for number in numbers:
            try:
                self._end(number, plan.document["reference"])
            except ConnectorError as error:
                trouble.append(error)
        if trouble:
            # What failed is told before what people still have in hand.
            raise min(trouble, key=lambda error: isinstance(error, ConnectorPending))
        read = self.read_back(plan, key)
        return Outcome(read.facts, read.lines)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether each of them has ended, by the record that was written when its target was read."""
        with self._reading() as session:
            entitlements = _found(session, plan.document)
        left = [
            entitlement.id for entitlement in entitlements if entitlement.state is not EntitlementState.ENDED
        ]
        lines = tuple(
            PlanLine("note", f"{'Ended' if e.id not in left else 'Still live'}: {e.label}")
            for e in entitlements
        )
        ended = [entitlement.id for entitlement in entitlements if entitlement.id not in left]
        return ReadBack(not left, {"ended": ended, "left": left}, lines)

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Nothing to undo where nothing has ended; else a permanent ConnectorError."""
        read = self.read_back(plan, key)
        if read.facts["ended"]:
            raise ConnectorError(_NOT_BACK, permanent=True)
        return Outcome(read.facts)

    def live(self) -> Iterable[Live]:
        """Nothing of its own."""
        return ()

    def _end(self, number: int, reference: str) -> None:
        why = reason_of(reference)
        with self._writing() as session:
            entitlement = get_locked_entitlement(session, number)
            if entitlement.state is EntitlementState.ENDED:
                return
            entitlement.state = EntitlementState.ENDING
            entitlement.end_reason = why
            step = session.get_one(Step, entitlement.step_id)
            shared = needed_by_another(session, entitlement)
        if not shared:
            plan = Plan.from_json(step.plan)
            connector = self._connectors().get(step.connector)
            connector.revert(plan, step.key)
            if connector.read_back(plan, step.key).present:
                raise ConnectorError(f"{plan.target} still shows “{step.name}”; it is taken away again.")
        with self._writing() as session:
            entitlement = get_locked_entitlement(session, number)
            if entitlement.state is EntitlementState.ENDING:
                close_entitlement(session, entitlement, why=why)
                tell_holder(session, "entitlement_ended", entitlement)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with _sentences(), self.db.reading() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with _sentences(), self.db.transaction() as session:
            yield session


def reason_of(reference: str) -> str:
    """What stands on an entitlement that a request ended."""
    return f"It was ended by {reference}."


def _check(order: Order) -> None:
    if order.action not in {END_ALL, END_ONE}:
        raise ConnectorError(
            f"Entitlements can be ended, all or one of them; not “{order.action}”.", permanent=True
        )
    wanted = {"key"} if order.action == END_ONE else set()
    unknown = sorted(set(order.parameters) - wanted)
    if unknown:
        raise ConnectorError(f"Ending takes no parameter “{unknown[0]}”.", permanent=True)
    if order.action == END_ONE and not str(order.parameters.get("key") or "").strip():
        raise ConnectorError("Name what is to end by its label or its key.", permanent=True)


def _named(session: Session, order: Order) -> Sequence[Entitlement]:
    """What the order names, of a person whom the portal knows. Raises a permanent ConnectorError."""
    person = order.beneficiary
    known = session.scalar(select(Person.id).where(Person.user_name == person.user_name))
    if known is None:
        message = f"Nobody is called {person.user_name or 'nothing'} in this portal."
        raise ConnectorError(message, permanent=True)
    key = str(order.parameters.get("key", "")).strip()
    found = _found(session, {"person": person.user_name, "key": key, "reference": order.reference})
    if key and not found:
        message = f"{person.name} has nothing called “{key}” through this portal."
        raise ConnectorError(message, permanent=True)
    return found


def _found(session: Session, document: Json) -> Sequence[Entitlement]:
    """What is live of the person, and what this very request has ended already."""
    query = (
        select(Entitlement)
        .join(Person, Person.id == Entitlement.person_id)
        .where(
            Person.user_name == document["person"],
            or_(
                Entitlement.state != EntitlementState.ENDED,
                Entitlement.end_reason == reason_of(document["reference"]),
            ),
        )
    )
    if document["key"]:
        query = query.where(or_(Entitlement.key == document["key"], Entitlement.label == document["key"]))
    return session.scalars(query.order_by(Entitlement.id)).all()


def _line(entitlement: Entitlement) -> str:
    return f"End: {entitlement.label}, on {entitlement.target}"


@contextmanager
def _sentences() -> Iterator[None]:
    """A database that does not answer is a target that is away."""
    try:
        yield
    except DBAPIError as error:
        raise ConnectorError("The portal's database does not answer just now.") from error
