"""Answering: the requester says what was asked, and the request goes back to the same person."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.conversation.waiting import go_on
from approvals.conversation.words import checked
from approvals.routing.model import Stage
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.notifications import notify


def answer(session: Session, actor: Actor, request_id: int, remark_id: int, *, text: str) -> Remark:
    """Answer a question that waits. The clocks run again once nothing else waits for the requester.

    Raises NotFound, Forbidden for anyone but the requester, Conflict when nobody waits for it any more, FieldError.
    """
    request, remark, stage = get_open(session, actor, request_id, remark_id, RemarkKind.QUESTION)
    reply = checked(text, "answer", missing=_("Write your answer."))
    remark.state = RemarkState.ANSWERED
    close_with(session, request, remark, reply)
    record(
        session,
        tags.ANSWERED,
        subject=subject_of(request),
        actor=actor,
        facts={"stage": stage, "revision": remark.revision, "asked_by": f"person:{remark.author_id}"},
        personal={"comment": reply},
    )
    asker = session.get_one(Person, remark.author_id)
    notify(
        session,
        "question_answered",
        asker,
        {
            **about(request),
            "requester": request.requester.name,
            "question": remark.text,
            "answer": reply,
            "path": f"/approvals/{request.reference}",
        },
    )
    return remark


def get_open(
    session: Session, actor: Actor, request_id: int, remark_id: int, kind: RemarkKind
) -> tuple[Request, Remark, str]:
    """The locked request, what waits for its requester, and the stage's slug. Raises as `answer` does."""
    request = get_locked(session, request_id)
    if actor.person_id is None or actor.person_id != request.requester_id:
        raise Forbidden(_("Only the person who made this request can answer."))
    row = session.execute(
        select(Remark, Stage.slug)
        .join(Stage, Stage.id == Remark.stage_id)
        .where(Remark.id == remark_id, Remark.request_id == request.id, Remark.kind == kind)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound(_("Nobody asked this."))
    remark, stage = row
    if remark.state is not RemarkState.OPEN:
        raise Conflict(_("This was answered already, or nobody needs the answer any more."))
    return request, remark, stage


def close_with(session: Session, request: Request, remark: Remark, reply: str) -> None:
    """Keep the reply, and let the request go on when nothing else waits."""
    remark.reply = reply
    remark.replied_at = now(session)
    go_on(session, request)
