"""Closing a request whose approvers did not decide in time, with words that say so."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.links.model import ApprovalLink
from approvals.routing.messages import tell_rejected, tell_that_it_ended
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.reactions import close_stages
from approvals.routing.stages import ALIVE, stages_of
from approvals.timing import tags
from approvals.timing.steps import timing_of
from catalog.offerings.words import MINUTES
from catalog.requests.events import RequestRejected
from catalog.requests.model import Request
from catalog.requests.moves import move, subject_of
from catalog.requests.states import Move
from portal.audit import record
from portal.core.events import publish
from portal.core.language import Said, _, every_language, ngettext, spoken
from portal.identity.actor import PORTAL


def expire(session: Session, request: Request, stage: Stage) -> None:
    """The stage's time is over: the request is rejected, and everybody concerned is told."""
    minutes = timing_of(request, stage).expires_after
    _close(session, request, stage, tags.EXPIRED, _why(stage, minutes))


def cancel(session: Session, request: Request, stage: Stage) -> None:
    """The offering would rather have it cancelled than decided by others."""
    minutes = timing_of(request, stage).escalate_after
    _close(session, request, stage, tags.CANCELLED, _why(stage, minutes))


def _close(session: Session, request: Request, stage: Stage, tag: str, why: Said) -> None:
    alive = [other for other in stages_of(session, request) if other.state in ALIVE]
    opened = [other.id for other in alive if other.state is not StageState.WAITING]
    asked: set[int | None] = set(
        session.scalars(
            select(StageApprover.person_id)
            .where(StageApprover.stage_id.in_(opened))
            .union(select(ApprovalLink.person_id).where(ApprovalLink.stage_id.in_(opened)))
        )
    )
    move(session, request, Move.REJECT)
    request.outcome = why
    record(
        session,
        tag,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"stage": stage.slug, "revision": stage.revision, "seal": request.seal},
        personal={"why": why},
    )
    close_stages(session, request, alive, why)
    publish(session, RequestRejected(request.id))
    tell_rejected(session, request)
    tell_that_it_ended(session, request, asked, why)


def _why(stage: Stage, minutes: int) -> Said:
    """Why it was closed, in words for the requester."""

    def speak() -> str:
        days, hours = minutes // MINUTES["d"], minutes / MINUTES["h"]
        if days and minutes % MINUTES["d"] == 0:
            time = ngettext("%(number)s working day", "%(number)s working days", days)
        else:
            time = ngettext("%(number)s working hour", "%(number)s working hours", max(round(hours), 1))
        return _(
            "Nobody decided the stage “%(stage)s” within %(time)s, so this request was closed without a decision. "
            "Nothing was changed. Ask again if it is still needed.",
            stage=spoken(stage.name),
            time=time,
        )

    return every_language(speak)
