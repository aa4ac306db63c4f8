"""Asking: an approver wants to know something first; the requester must answer, and the clocks stand still."""

from __future__ import annotations

from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.conversation.standing import insist_on_none_open, stand
from approvals.conversation.waiting import wait_for_requester
from approvals.conversation.words import checked
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.language import _
from portal.identity.actor import Actor
from portal.notifications import notify


def ask(session: Session, actor: Actor, request_id: int, *, question: str, seal: str) -> Remark:
    """Ask the requester something about what the seal covers, instead of deciding yet.

    The asker, and everybody else in the stage, may still decide; then nobody needs the answer. Raises NotYours for
    whoever may not decide, Conflict where it is too late or an earlier question waits, SealChanged, FieldError.
    """
    standing = stand(session, actor, request_id, seal)
    request, stage = standing.request, standing.stage
    text = checked(question, "question", missing=_("Write what you want to know."))
    insist_on_none_open(session, standing)
    # First, so that whatever is said while the clock stands still was said after it stopped.
    wait_for_requester(session, request)
    remark = Remark(
        request_id=request.id,
        revision=request.revision,
        stage_id=stage.id,
        author_id=standing.person_id,
        kind=RemarkKind.QUESTION,
        state=RemarkState.OPEN,
        text=text,
        said_at=now(session),
        seal=request.seal,
    )
    session.add(remark)
    record(
        session,
        tags.ASKED,
        subject=subject_of(request),
        actor=actor,
        facts={"stage": stage.slug, "revision": request.revision, "seal": request.seal},
        personal={"comment": text},
    )
    notify(
        session,
        "question_asked",
        request.requester,
        {**about(request), "asker": actor.name, "question": text, "path": f"/requests/{request.reference}"},
    )
    return remark
