"""What was found, as a target: it is adopted by a request, or taken away by one.

Adopting touches nothing: the thing is live already, and the request that is approved becomes what allows it. Taking
away is done by the connector that governs the thing, by a plan that is part of this one and under the same seal; where
that connector cannot, by people. The portal's own findings are read in sessions of its own, as the manual connector
reads its tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

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
from catalog.fulfilment.connectors.registry import Connectors
from catalog.reconciliation.inner import inner_plan, kept_plan, removal_plan
from catalog.reconciliation.known import find_holder, find_thing
from catalog.reconciliation.model import Finding, FindingKind, FindingState
from catalog.reconciliation.sealed import ADOPT, differences
from portal.core.database import Database
from portal.core.language import say

KIND = "reconciliation"
REMOVE = "remove"


class ReconciliationConnector:
    """Adopts and takes away what was found. `connectors` gives those that govern it."""

    kind = KIND
    governs_a_target = False

    def __init__(self, db: Database, connectors: Callable[[], Connectors]) -> None:
        self.db = db
        self._connectors = connectors

    def choices(self, name: str) -> Sequence[Choice]:
        """There are no lists: a request is made from a finding."""
        raise ConnectorError(say("There is no list “%(name)s” of findings.", name=name), permanent=True)

    def plan(self, order: Order) -> Plan:
        """`adopt` takes connector, key, holder and until; `remove` connector and key."""
        if order.action not in {ADOPT, REMOVE}:
            message = say("What was found can be adopted or removed, not “%(action)s”.", action=order.action)
            raise ConnectorError(message, permanent=True)
        kind = str(order.parameters.get("connector", ""))
        key = str(order.parameters.get("key", ""))
        with self._reading() as session:
            thing = find_thing(session, kind, key)
            if order.action == ADOPT:
                return _adoption(session, order, thing)
        return self._removal(order, thing)

    def entitlement_key(self, plan: Plan) -> str:
        """The thing's key on its own target."""
        return str(plan.document["key"])

    def brings_to_life(self, plan: Plan) -> bool:
        """What is adopted is recorded under its own target's name, by whoever hears that the request is fulfilled."""
        return False

    def removes(self, plan: Plan) -> str:
        """The key of what a removal takes away; its record is ended under its own target's name."""
        return ""

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Take it away. To adopt is to do nothing, so what is not live cannot be adopted."""
        if plan.action == REMOVE:
            inner = kept_plan(plan)
            outcome = self._connectors().get(inner.connector).apply(inner, key)
            return Outcome(outcome.facts, outcome.lines, outcome.artefacts)
        read = self.read_back(plan, key)
        if not read.present:
            message = say(
                "“%(label)s” is not live as it was approved any more, so it cannot be adopted.",
                label=plan.document["label"],
            )
            raise ConnectorError(message, permanent=True)
        return Outcome(read.facts, read.lines)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the target shows it as it was approved, or does not show it any more."""
        if plan.action == REMOVE:
            inner = kept_plan(plan)
            return self._connectors().get(inner.connector).read_back(inner, key)
        live = self._find_live(plan)
        if live is None:
            line = PlanLine("note", say("It is not live any more"))
            return ReadBack(present=False, facts={"live": False}, lines=(line,))
        changed = differences(plan.document["facts"], live.facts)
        text = say("It is live: %(label)s", label=live.label)
        if changed:
            text = say("It is live, but not as it was approved: %(label)s", label=live.label)
        return ReadBack(not changed, dict(live.facts), (PlanLine("note", text),))

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Take away what was adopted, or give back what was removed where its connector can."""
        if plan.action == REMOVE:
            inner = kept_plan(plan)
            return self._connectors().get(inner.connector).revert(inner, key)
        live = self._find_live(plan)
        if live is None:
            line = PlanLine("keep", say("It was not live any more"))
            return Outcome({"live": False}, (line,))
        document = plan.document
        inner = inner_plan(
            self._connectors(), document["connector"], live, document["reference"], document["owner"]
        )
        return self._connectors().get(inner.connector).apply(inner, key)

    def live(self) -> Iterable[Live]:
        """Nothing of its own."""
        return ()

    def _find_live(self, plan: Plan) -> Live | None:
        connector = self._connectors().get(str(plan.document["connector"]))
        return next((live for live in connector.live() if live.key == plan.document["key"]), None)

    def _removal(self, order: Order, thing: Finding) -> Plan:
        live = Live(thing.key, thing.label, dict(thing.facts), thing.reference)
        if thing.kind is FindingKind.MISSING:
            message = say(
                "“%(label)s” is not on its target, so there is nothing to take away.", label=thing.label
            )
            raise ConnectorError(message, permanent=True)
        inner = inner_plan(self._connectors(), thing.connector, live, order.reference, thing.owner)
        return removal_plan(KIND, REMOVE, order, thing, inner)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with self.db.reading() as session:
                yield session
        except DBAPIError as error:
            raise ConnectorError(say("The portal's database does not answer just now.")) from error


def _adoption(session: Session, order: Order, thing: Finding) -> Plan:
    if thing.kind is FindingKind.MISSING:
        message = say("“%(label)s” is not on its target, so there is nothing to adopt.", label=thing.label)
        raise ConnectorError(message, permanent=True)
    given: Json = order.parameters
    holder = find_holder(session, str(given.get("holder") or order.beneficiary.user_name))
    until = str(given.get("until") or "")
    lines = [
        PlanLine(
            "note",
            say(
                "Record that a request allows this, for %(who)s (%(user_name)s): %(label)s",
                who=holder.name,
                user_name=holder.user_name,
                label=thing.label,
            ),
        ),
        PlanLine("note", say("Nothing is changed on the target: it is live there already")),
        PlanLine("note", f"{thing.connector}: {thing.key}", technical=True),
    ]
    if until:
        lines.insert(1, PlanLine("note", say("It ends on %(day)s and is taken away then", day=until)))
    return Plan(
        connector=KIND,
        action=ADOPT,
        target=thing.connector,
        lines=tuple(lines),
        document={
            "connector": thing.connector,
            "key": thing.key,
            "label": str(thing.label),
            "facts": dict(thing.facts),
            "holder": holder.user_name,
            "until": until,
            "owner": thing.owner,
            "reference": order.reference,
        },
        inverse={"remove": thing.key},
        already_true=thing.state is not FindingState.CLOSED,
    )
