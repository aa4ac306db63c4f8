"""While the requester is asked: the clocks stand still and the baton is theirs; then it goes back to who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.decisions.model import Decision
from approvals.reassigning.holders import hand_back
from approvals.routing.model import Stage, StageState
from catalog.offerings.queries import document_of
from catalog.requests.events import (
    RequestApproved,
    RequestRefused,
    RequestRejected,
    RequestReplanned,
    RequestWithdrawn,
)
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, hand_baton, subject_of
from catalog.requests.promise import pause, resume
from catalog.requests.states import State
from catalog.requests.working_hours import calendars_of
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL
from portal.identity.model import Person

Moved = RequestReplanned | RequestWithdrawn | RequestRefused | RequestApproved | RequestRejected


def wait_for_requester(session: Session, request: Request) -> None:
    """Stop the promise's clock, and with it those of the open stages; the requester must act."""
    pause(session, request)
    hand_baton(session, request, request.requester.name)


def go_on(session: Session, request: Request) -> None:
    """Let the clocks run again once nothing waits for the requester any more.

    What its stage has outlived, or its author has decided without, needs no answer: it is closed. Call it whenever
    a remark was answered, somebody decided or a stage ended. Then the baton goes back to whoever asked, for as long
    as their stage is open.
    """
    if request.paused_since is None:
        return
    session.flush()
    if _close_moot(session, request):
        hand_baton(session, request, request.requester.name)
        return
    since = request.paused_since
    resume(session, request)
    if request.state is not State.PENDING:
        return
    asked = _asked_since(session, request, since)
    stages = _open_stages(session, request)
    _move_due_dates(session, request, stages, since, asked)
    answered: dict[int, set[int]] = {}
    for person, remark in asked:
        if remark.stage_id is not None and remark.replied_at is not None:
            answered.setdefault(remark.stage_id, set()).add(person.id)
    hand_back(session, request, answered)


def on_request_moved(session: Session, event: Moved) -> None:
    """The request went on without an answer: it was edited, withdrawn, decided or refused."""
    go_on(session, get_locked(session, event.request_id))


def _close_moot(session: Session, request: Request) -> bool:
    """Close what needs no answer any more; whether something still waits."""
    rows = session.execute(
        select(Remark, Stage, Decision.id)
        .join(Stage, Stage.id == Remark.stage_id)
        .outerjoin(
            Decision,
            and_(Decision.stage_id == Remark.stage_id, Decision.person_id == Remark.author_id),
        )
        .where(Remark.request_id == request.id, Remark.state == RemarkState.OPEN)
    ).all()
    still = False
    for remark, stage, decided in rows:
        if (
            request.state is State.PENDING
            and stage.state is StageState.OPEN
            and stage.revision == request.revision
            and decided is None
        ):
            still = True
            continue
        remark.state = RemarkState.MOOT
        record(
            session,
            tags.MOOT,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                "stage": stage.slug,
                "revision": remark.revision,
                "asked_by": f"person:{remark.author_id}",
            },
        )
    return still


def _asked_since(session: Session, request: Request, since: datetime) -> list[tuple[Person, Remark]]:
    """Who asked while the clock stood still, each with what they asked."""
    rows = session.execute(
        select(Person, Remark)
        .join(Remark, Remark.author_id == Person.id)
        .where(
            Remark.request_id == request.id,
            Remark.revision == request.revision,
            Remark.kind != RemarkKind.COMMENT,
            Remark.said_at >= since,
        )
        .order_by(Remark.id)
    )
    return [(person, remark) for person, remark in rows]


def _open_stages(session: Session, request: Request) -> Sequence[Stage]:
    return session.scalars(
        select(Stage)
        .where(
            Stage.request_id == request.id,
            Stage.revision == request.revision,
            Stage.state == StageState.OPEN,
        )
        .order_by(Stage.position, Stage.part)
    ).all()


def _move_due_dates(
    session: Session,
    request: Request,
    stages: Sequence[Stage],
    since: datetime,
    asked: Sequence[tuple[Person, Remark]],
) -> None:
    """What was open while the clock stood still is due later, by as much of the first asker's working time."""
    if not asked:
        return
    calendars = calendars_of(session, [asked[0][0].id], document_of(request.version).calendar)
    calendar = calendars[asked[0][0].id]
    stood_still = calendar.minutes_between(since, now(session))
    for stage in stages:
        if (
            stood_still
            and stage.due_at is not None
            and stage.opened_at is not None
            and stage.opened_at <= since
        ):
            stage.due_at = calendar.add(stage.due_at, stood_still)
