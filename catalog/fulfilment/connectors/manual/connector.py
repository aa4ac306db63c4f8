"""The manual connector.

It is the one connector whose target is the portal itself: the people are reached through a page here, and what
they record is what is read back. So it has a store of its own in the portal's database, and opens sessions of its
own for it; no call runs inside a caller's transaction, as for every other connector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

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
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.connectors.manual.opening import BY_HAND, cancel, open_task
from catalog.fulfilment.connectors.manual.parameters import DO, UNDO, Wanted, read_parameters
from catalog.fulfilment.connectors.manual.queries import (
    doers_of,
    every_live,
    find_group,
    find_live,
    latest,
)
from catalog.fulfilment.connectors.manual.recorded import facts_of, lines_of
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.database import Database
from portal.core.language import say

_KEY_DIGITS = 16


class ManualConnector:
    """Asks a named group to carry out a checklist, and waits for what they record."""

    kind = "manual"

    def __init__(self, db: Database) -> None:
        self.db = db

    def choices(self, name: str) -> Sequence[Choice]:
        """People offer no lists."""
        raise ConnectorError(say("There is no list “%(name)s” of manual work.", name=name), permanent=True)

    def plan(self, order: Order) -> Plan:
        """What people would be asked to do; the group must exist and have somebody who is not the beneficiary."""
        wanted = read_parameters(order)
        with self._reading() as session:
            group = find_group(session, wanted.group)
            if group is None:
                raise ConnectorError(
                    say("There is no group “%(group)s” that could do this.", group=wanted.group),
                    permanent=True,
                )
            members = doers_of(session, group.id, without=frozenset())
            if all(person.user_name == order.beneficiary.user_name for person in members):
                message = say(
                    "Nobody in “%(group)s” could do this. Ask the owner of the group to add somebody.",
                    group=group.name,
                )
                raise ConnectorError(message, permanent=True)
            plan = _plan(wanted, order, group.name)
            done = find_live(session, self.entitlement_key(plan)) is not None
        return Plan.from_json({**plan.to_json(), "already_true": done})

    def entitlement_key(self, plan: Plan) -> str:
        """From the reference and what the step asks; the same checklist twice in one request is one thing."""
        short = digest(dict(plan.document)).removeprefix("sha256:")[:_KEY_DIGITS]
        return f"manual:{plan.document['reference']}:{short}"

    def brings_to_life(self, plan: Plan) -> bool:
        """Whether there is something to undo when it ends."""
        return bool(plan.inverse["undo"])

    def apply(self, plan: Plan, key: str) -> Outcome:
        """What people did. Opens their task, once, and raises ConnectorPending until they have."""
        for _ in range(2):
            try:
                with self._writing() as session:
                    answer = self._apply(session, plan, key)
            except IntegrityError:
                continue  # another worker opened the task at the same instant
            return _given(answer)
        raise ConnectorError(say("The manual task could not be opened just now."))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Who recorded what, when, with the digests of the proof."""
        with self._reading() as session:
            task = find_live(session, self.entitlement_key(plan))
            if task is None:
                return ReadBack(present=False, facts={"recorded": False})
            return ReadBack(present=True, facts=facts_of(session, task), lines=lines_of(session, task))

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Have people undo it: ConnectorPending until they have. Work that nobody has done yet is cancelled."""
        for _ in range(2):
            try:
                with self._writing() as session:
                    answer = self._revert(session, plan, key)
            except IntegrityError:
                continue
            return _given(answer)
        raise ConnectorError(say("The manual task could not be opened just now."))

    def live(self) -> Iterable[Live]:
        """Everything that people recorded as done and that was not undone."""
        with self._reading() as session:
            return [
                Live(task.entitlement_key, task.title, _live_facts(task), task.request.reference)
                for task in every_live(session)
            ]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """What people recorded as done is what they were to do."""
        return {"asked": digest(dict(plan.document))}

    def _apply(self, session: Session, plan: Plan, key: str) -> Outcome | ConnectorError:
        """The outcome, or what is to be raised once the task that was opened is durable."""
        done = find_live(session, self.entitlement_key(plan))
        if done is not None:
            return Outcome(facts_of(session, done), lines_of(session, done))
        task = latest(session, key, DO)
        if task is not None and task.state is ManualState.IMPOSSIBLE:
            return ConnectorError(_impossible(task), permanent=True)
        if task is None or task.state is not ManualState.OPEN:
            task = open_task(session, plan, key, self.entitlement_key(plan), action=DO)
        return _pending(task)

    def _revert(self, session: Session, plan: Plan, key: str) -> Outcome | ConnectorError:
        undone = Outcome({"entitlement": self.entitlement_key(plan), "undone": True})
        asked = latest(session, key, DO)
        if asked is not None and asked.state is ManualState.OPEN:
            cancel(session, asked)
        done = find_live(session, self.entitlement_key(plan))
        if done is None:
            return undone
        if not plan.inverse["undo"]:
            done.undone_at = now(session)
            return undone
        task = latest(session, key, UNDO)
        if task is not None and task.state is ManualState.IMPOSSIBLE and task.told_at is None:
            # Told once: an operator who then tries again asks people again.
            task.told_at = now(session)
            return ConnectorError(_impossible(task), permanent=True)
        if task is None or task.state is not ManualState.OPEN:
            task = open_task(session, plan, key, self.entitlement_key(plan), action=UNDO)
        return _pending(task)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with _sentences(), self.db.reading() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with _sentences(), self.db.transaction() as session:
            yield session


def _live_facts(task: ManualTask) -> Json:
    return {"task": task.id, "asked": digest(dict(task.plan["document"]))}


def _given(answer: Outcome | ConnectorError) -> Outcome:
    if isinstance(answer, ConnectorError):
        raise answer
    return answer


def _pending(task: ManualTask) -> ConnectorPending:
    name = task.group.name
    return ConnectorPending(say("“%(group)s” is asked to do this by hand.", group=name), waits_for=name)


def _impossible(task: ManualTask) -> str:
    reason = task.reason.strip().rstrip(".")
    return say("“%(title)s” cannot be done by hand: %(reason)s.", title=task.title, reason=reason)


def _plan(wanted: Wanted, order: Order, group_name: str) -> Plan:
    undoing = (
        say("The same group undoes it by hand when it ends.")
        if wanted.undo
        else say("Nothing is undone when it ends.")
    )
    return Plan(
        connector=ManualConnector.kind,
        action=DO,
        target=f"the work of the group {wanted.group}",
        lines=(
            PlanLine("note", say(BY_HAND, group=group_name, title=wanted.title)),
            *(PlanLine("add", item) for item in wanted.checklist),
            PlanLine("note", undoing),
        ),
        document={
            "reference": order.reference,
            "group": wanted.group,
            # What is to be done is one thing in whatever language people read it: the English text stands for it.
            "title": str(wanted.title),
            "instructions": str(wanted.instructions),
            "checklist": [str(item) for item in wanted.checklist],
            "for": order.beneficiary.user_name,
        },
        inverse={"group": wanted.group, "undo": str(wanted.undo)},
    )


@contextmanager
def _sentences() -> Iterator[Any]:
    """A database that does not answer is a target that is away."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise ConnectorError(say("The portal's database does not answer just now.")) from error
