"""Accepting or declining what an approver proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.answer import close_with, get_open
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.conversation.waiting import go_on
from approvals.conversation.words import checked
from catalog.requests.edit import edit
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.notifications import notify


def accept(
    session: Session, actor: Actor, request_id: int, remark_id: int, *, answers: Mapping[str, Any], reply: str
) -> Remark:
    """Take the proposal over: the requester edits the request to it, it is planned and sealed again.

    `answers` are the proposed ones, checked as the form checks them now. The requester who accepts is the editor,
    so the proposer may approve what comes of it. Every approval so far is void. Raises NotFound, Forbidden for
    anyone but the requester, Conflict when it stands no longer, FieldErrors when a rule forbids it now.
    """
    request, remark, stage = get_open(session, actor, request_id, remark_id, RemarkKind.PROPOSAL)
    reply = checked(reply, "reply")
    remark.state = RemarkState.ACCEPTED
    remark.reply = reply
    remark.replied_at = now(session)
    _record(session, actor, tags.ACCEPTED, request=request, remark=remark, stage=stage)
    edit(session, actor, request_id, answers)
    # Planning again has started the clocks; answers that turn out to be the same plan nothing.
    go_on(session, request)
    _tell(session, request, remark)
    return remark


def decline(session: Session, actor: Actor, request_id: int, remark_id: int, *, reply: str) -> Remark:
    """Keep the request as it is; it goes back to whoever proposed. Raises as `accept` does."""
    request, remark, stage = get_open(session, actor, request_id, remark_id, RemarkKind.PROPOSAL)
    reply = checked(reply, "reply")
    remark.state = RemarkState.DECLINED
    close_with(session, request, remark, reply)
    _record(session, actor, tags.DECLINED, request=request, remark=remark, stage=stage)
    _tell(session, request, remark)
    return remark


def _record(
    session: Session, actor: Actor, tag: str, *, request: Request, remark: Remark, stage: str
) -> None:
    record(
        session,
        tag,
        subject=subject_of(request),
        actor=actor,
        facts={
            "stage": stage,
            "revision": remark.revision,
            "asked_by": f"person:{remark.author_id}",
            "fields": sorted(remark.changes),
        },
        personal={"comment": remark.reply} if remark.reply else {},
    )


def _tell(session: Session, request: Request, remark: Remark) -> None:
    notify(
        session,
        "proposal_answered",
        session.get_one(Person, remark.author_id),
        {
            **about(request),
            "requester": request.requester.name,
            "accepted": remark.state is RemarkState.ACCEPTED,
            "answer": remark.reply,
            "path": f"/approvals/{request.reference}",
        },
    )
