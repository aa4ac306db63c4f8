"""Moving: what a new window or freeze, or the lifting of one, changes for the requests that wait.

The worker looks again at the moment of doing, so nothing is ever carried out outside of its windows; moving is for
people, who read the new time as soon as it is known.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from catalog.changes.model import PlannedChange
from catalog.changes.scheduling import find_change, plan_open, schedule
from catalog.fulfilment.orders import THE_WINDOW, enqueue_fulfilment, latest_attempt
from catalog.offerings.expressions import RuleFailed
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, get_locked, hand_baton
from catalog.requests.promise import FULFILMENT
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.language import say
from portal.jobs import Job, enqueue

MOVE = "move_changes"
#: How many one round works out anew; what is left comes with the next one.
_AT_ONCE = 500
_WAITING = (State.PENDING, State.SCHEDULED)


def move_soon(session: Session, because: str) -> None:
    """Have the worker look at everything that waits; `because` is new each time that there is cause."""
    enqueue(session, MOVE, {"all": True}, dedupe_key=f"{MOVE}:{because}")


def move_changes(job: Job) -> None:
    """The task that works out anew when the requests that wait are carried out.

    After a window or freeze changed that is all of them; in the round that comes by itself, those that are open and
    whose planned time is over.
    """
    after, everything = 0, bool(job.payload.get("all"))
    while True:
        with job.reading() as session:
            numbers = session.scalars(_waiting(now(session), after, everything=everything)).all()
        for number in numbers:
            with job.transaction() as session:
                move_one(session, number)
        if not everything or len(numbers) < _AT_ONCE:
            return
        after = numbers[-1]


def move_one(session: Session, request_id: int) -> None:
    """Work out anew when one request is carried out; has its task run then, and tells whoever is concerned."""
    request = get_locked(session, request_id)
    try:
        if request.state is State.PENDING:
            change = plan_open(session, request)
            _promise(request, change.planned_at)
        elif request.state is State.SCHEDULED:
            _reschedule(session, request)
    except (PortalError, RuleFailed):
        # The person or the rule that it was made with is no longer there; fulfilling it will say so.
        return


def _reschedule(session: Session, request: Request) -> None:
    known = find_change(session, request.id)
    before = (known.planned_at, known.impossible) if known is not None else None
    opens = schedule(session, request, now(session))
    change = find_change(session, request.id)
    if change is None or before == (change.planned_at, change.impossible):
        return
    hand_baton(session, request, THE_PORTAL if opens is None else say(THE_WINDOW), due=opens)
    # Its earlier task finds then that it has to wait, or that it is done.
    enqueue_fulfilment(session, request, latest_attempt(session, request), run_at=opens or now(session))
    _promise(request, change.planned_at)


def _promise(request: Request, planned: datetime | None) -> None:
    """A promise that a freeze makes impossible is not kept by being late: the new time is promised."""
    if planned is not None and request.promised_by is not None:
        request.promised_by = max(request.promised_by, planned + FULFILMENT)


def _waiting(at: datetime, after: int, *, everything: bool) -> Select[int]:
    statement = (
        select(Request.id)
        .join(PlannedChange, PlannedChange.request_id == Request.id)
        .where(Request.state.in_(_WAITING), Request.id > after)
        .order_by(Request.id)
        .limit(_AT_ONCE)
    )
    if everything:
        return statement
    over = or_(
        PlannedChange.planned_at < at,
        and_(PlannedChange.planned_at.is_(None), PlannedChange.planned_until < at),
    )
    return statement.where(Request.state == State.PENDING, over)
