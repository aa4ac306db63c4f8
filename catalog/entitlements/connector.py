"""The entitlements room as a target: ending what a person has, one thing or all of it, or letting one end later.

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
from catalog.entitlements.extending.carrying import (
    apply_extension,
    is_extension,
    plan_extension,
    read_extension,
    revert_extension,
)
from catalog.entitlements.extending.orders import EXTEND, KIND
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
from portal.core.language import Said, say
from portal.identity.model import Person

__all__ = ["END_ALL", "END_ONE", "KIND", "EntitlementsConnector", "reason_of"]

END_ALL, END_ONE = "end_all", "end_one"


class EntitlementsConnector:
    """Ends what requests of this portal brought, or lets it end later. `connectors` gives those that take it away."""

    kind = KIND
    #: Nothing of its own is live that could be read and compared.
    governs_a_target = False

    def __init__(self, db: Database, connectors: Callable[[], Connectors]) -> None:
        self.db = db
        self._connectors = connectors

    def choices(self, name: str) -> Sequence[Choice]:
        """There are no lists: what a person has is shown to them and to those who decide."""
        raise ConnectorError(say("There is no list “%(name)s” of entitlements.", name=name), permanent=True)

    def plan(self, order: Order) -> Plan:
        """What would end, one line each.

        Ending all that a person has is one effect whatever comes and goes until then; the lines say what it is now.
        """
        if order.action == EXTEND:
            return self._plan_extension(order)
        _check(order)
        with self._reading() as session:
            entitlements = _named(session, order)
        who = f"{order.beneficiary.name} ({order.beneficiary.user_name})"
        gone = all(entitlement.state is EntitlementState.ENDED for entitlement in entitlements)
        lines = [
            PlanLine("keep" if e.state is EntitlementState.ENDED else "remove", _line(e))
            for e in entitlements
        ]
        nothing = PlanLine("note", say("%(name)s has nothing that this portal gave", name=who))
        return Plan(
            connector=KIND,
            action=order.action,
            target=say("the portal's record of entitlements"),
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
        if is_extension(plan.document):
            with self._writing() as session:
                apply_extension(session, plan)
            read = self.read_back(plan, key)
            return Outcome(read.facts, read.lines)
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
        if is_extension(plan.document):
            with self._reading() as session:
                return read_extension(session, plan)
        with self._reading() as session:
            entitlements = _found(session, plan.document)
        left = [
            entitlement.id for entitlement in entitlements if entitlement.state is not EntitlementState.ENDED
        ]
        lines = tuple(
            PlanLine(
                "note",
                say("Still live: %(label)s", label=e.label)
                if e.id in left
                else say("Ended: %(label)s", label=e.label),
            )
            for e in entitlements
        )
        ended = [entitlement.id for entitlement in entitlements if entitlement.id not in left]
        return ReadBack(not left, {"ended": ended, "left": left}, lines)

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Nothing to undo where nothing has ended; else a permanent ConnectorError. An extension is taken back."""
        if is_extension(plan.document):
            with self._writing() as session:
                revert_extension(session, plan)
            return Outcome({"entitlement": plan.document["entitlement"]})
        read = self.read_back(plan, key)
        if read.facts["ended"]:
            message = say("What was taken away is not given back by itself. It must be asked for anew.")
            raise ConnectorError(message, permanent=True)
        return Outcome(read.facts)

    def live(self) -> Iterable[Live]:
        """Nothing of its own."""
        return ()

    def _plan_extension(self, order: Order) -> Plan:
        with self._reading() as session:
            extended = session.get(Entitlement, int(order.parameters.get("entitlement", 0)))
            if extended is None:
                raise ConnectorError(say("There is nothing of this kind to extend."), permanent=True)
            return plan_extension(session, order, self._connectors().get(extended.connector))

    def _end(self, number: int, reference: str) -> None:
        why = reason_of(reference)
        with self._writing() as session:
            entitlement = get_locked_entitlement(session, number)
            if entitlement.state is EntitlementState.ENDED:
                return
            entitlement.state = EntitlementState.ENDING
            entitlement.end_reason, entitlement.ended_by = why, reference
            step = session.get_one(Step, entitlement.step_id)
            shared = needed_by_another(session, entitlement)
        if not shared:
            plan = Plan.from_json(step.plan)
            connector = self._connectors().get(step.connector)
            connector.revert(plan, step.key)
            if connector.read_back(plan, step.key).present:
                raise ConnectorError(
                    say(
                        "%(target)s still shows “%(step)s”; it is taken away again.",
                        target=plan.target,
                        step=step.name,
                    )
                )
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


def reason_of(reference: str) -> Said:
    """What stands on an entitlement that a request ended."""
    return say("It was ended by %(reference)s.", reference=reference)


def _check(order: Order) -> None:
    if order.action not in {END_ALL, END_ONE}:
        raise ConnectorError(
            say("Entitlements can be ended, all or one of them; not “%(action)s”.", action=order.action),
            permanent=True,
        )
    wanted = {"key"} if order.action == END_ONE else set()
    unknown = sorted(set(order.parameters) - wanted)
    if unknown:
        raise ConnectorError(say("Ending takes no parameter “%(name)s”.", name=unknown[0]), permanent=True)
    if order.action == END_ONE and not str(order.parameters.get("key") or "").strip():
        raise ConnectorError(say("Name what is to end by its label or its key."), permanent=True)


def _named(session: Session, order: Order) -> Sequence[Entitlement]:
    """What the order names, of a person whom the portal knows. Raises a permanent ConnectorError."""
    person = order.beneficiary
    known = session.scalar(select(Person.id).where(Person.user_name == person.user_name))
    if known is None:
        message = say("Nobody is called %(name)s in this portal.", name=person.user_name or "nothing")
        raise ConnectorError(message, permanent=True)
    key = str(order.parameters.get("key", "")).strip()
    found = _found(session, {"person": person.user_name, "key": key, "reference": order.reference})
    if key and not found:
        message = say("%(name)s has nothing called “%(key)s” through this portal.", name=person.name, key=key)
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
                Entitlement.ended_by == document["reference"],
            ),
        )
    )
    found = session.scalars(query.order_by(Entitlement.id)).all()
    return [item for item in found if not document["key"] or document["key"] in _names_of(item)]


def _names_of(entitlement: Entitlement) -> set[str]:
    """What people and rules may call it: its key, and its label in any language."""
    label = entitlement.label
    return {entitlement.key, str(label), *(label.languages.values() if isinstance(label, Said) else ())}


def _line(entitlement: Entitlement) -> Said:
    return say("End: %(label)s, on %(target)s", label=entitlement.label, target=entitlement.target)


@contextmanager
def _sentences() -> Iterator[None]:
    """A database that does not answer is a target that is away."""
    try:
        yield
    except DBAPIError as error:
        raise ConnectorError(say("The portal's database does not answer just now.")) from error
