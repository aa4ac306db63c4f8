"""What operators see of the work: tasks by state, with the person-readable why, and failed requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import literal, select, true
from sqlalchemy.orm import Session

from catalog.fulfilment.last_words import last_line
from catalog.fulfilment.model import ByHand, ByHandState
from catalog.fulfilment.operators import what_of
from catalog.requests.model import Request
from catalog.requests.queries import FailedLine, requests_failed
from portal.audit.holders.queries import contradicting
from portal.audit.rounds.work import found_odd
from portal.audit.signer.model import SigningTrouble
from portal.core.clock import now
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.jobs.attendance import unserved_queues
from portal.jobs.model import TRIES, Task, TaskState
from portal.jobs.operators import task_counts, tasks_set_aside

#: What is due within this time counts as under way.
SOON = timedelta(hours=1)
MOST_TASKS = 100
_LONGEST_ERROR = 600
_REQUEST = "request:"


class TaskLine(NamedTuple):
    """One task as operators read it. `reference` is empty for a task that is not of a request."""

    id: int
    what: str
    reference: str
    state: str
    tries: int
    most_tries: int
    when: datetime
    why: str


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """The operators' page. Times are in the reader's zone."""

    now: datetime
    counts: Mapping[str, int]
    set_aside: tuple[TaskLine, ...]
    under_way: tuple[TaskLine, ...]
    failed: tuple[FailedLine, ...]
    #: The references of those of which a second operator has to confirm that something was done by hand.
    claimed: frozenset[str]
    #: What waits where no worker is: the queue, how many tasks, since when.
    unserved: tuple[tuple[str, int, datetime], ...]
    #: What is in the way of signing the ledger; None when nothing is.
    unsigned: SigningTrouble | None
    #: How many holders of checkpoints say that the ledger is another one.
    contradicting: int
    #: Whether the last verification of the ledger found something that does not fit.
    odd: bool


def operations_page(session: Session, actor: Actor) -> OperationsPage:
    """What waits, runs, was set aside, and which requests failed, what nobody serves, whether the ledger is signed; eight."""
    zone = ZoneInfo(actor.timezone)
    at = now(session)
    aside, under_way = tasks_set_aside(session), _under_way(session, at)
    references = _references(session, [*aside, *under_way])
    counts = {state.value: count for state, count in task_counts(session).items()}
    unsigned, contradicted, odd = _ledger_trouble(session)
    return OperationsPage(
        now=at.astimezone(zone),
        counts={state.value: counts.get(state.value, 0) for state in TaskState},
        set_aside=tuple(_line(task, references, zone) for task in aside),
        under_way=tuple(_line(task, references, zone) for task in under_way),
        claimed=_claimed(session),
        unsigned=unsigned,
        contradicting=contradicted,
        odd=odd,
        unserved=tuple(
            (queue, tasks, since.astimezone(zone)) for queue, tasks, since in unserved_queues(session)
        ),
        failed=tuple(
            line._replace(failed_at=line.failed_at.astimezone(zone) if line.failed_at else None)
            for line in requests_failed(session)
        ),
    )


def _ledger_trouble(session: Session) -> tuple[SigningTrouble | None, int, bool]:
    """What is in the way of signing the ledger, how many holders say that it is another one, whether it fits itself; one."""
    always = select(literal(1).label("always")).subquery()
    statement = select(contradicting(), found_odd(), SigningTrouble).select_from(always)
    holders, odd, unsigned = session.execute(statement.outerjoin(SigningTrouble, true())).one()
    return unsigned, holders, bool(odd)


def _claimed(session: Session) -> frozenset[str]:
    statement = (
        select(Request.reference)
        .join(ByHand, ByHand.request_id == Request.id)
        .where(ByHand.state == ByHandState.CLAIMED)
    )
    return frozenset(session.scalars(statement))


def _under_way(session: Session, at: datetime) -> Sequence[Task]:
    """What runs, or is due before long; an end a year ahead is no operator's business yet."""
    statement = (
        select(Task)
        .where(Task.state.in_([TaskState.WAITING, TaskState.RUNNING]), Task.run_at <= at + SOON)
        .order_by(Task.run_at, Task.id)
        .limit(MOST_TASKS)
    )
    return session.scalars(statement).all()


def _references(session: Session, tasks: list[Task]) -> dict[str, str]:
    ids = {
        int(task.subject.removeprefix(_REQUEST))
        for task in tasks
        if task.subject and task.subject.startswith(_REQUEST)
    }
    if not ids:
        return {}
    rows = session.execute(select(Request.id, Request.reference).where(Request.id.in_(ids)))
    return {f"{_REQUEST}{number}": reference for number, reference in rows}


def _line(task: Task, references: Mapping[str, str], zone: ZoneInfo) -> TaskLine:
    return TaskLine(
        id=task.id,
        what=spoken(what_of(task.kind)),
        reference=references.get(task.subject or "", ""),
        state=task.state.value,
        tries=task.attempts,
        most_tries=TRIES,
        when=(task.finished_at or task.run_at).astimezone(zone),
        why=_sentence(task.last_error or ""),
    )


def _sentence(error: str) -> str:
    """The error in one line: of a traceback, its last line says what happened."""
    text = last_line(error)
    return text if len(text) <= _LONGEST_ERROR else text[: _LONGEST_ERROR - 1] + "…"
