"""What approvals do when something happens to a request, in the same transaction (wired in portal.wiring)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.decisions.model import Decision
from approvals.routing.carried import carry_over, close_carried
from approvals.routing.chosen import route_of
from approvals.routing.deadlines import promised_by
from approvals.routing.messages import tell_that_it_ended
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.opening import open_next_stage
from approvals.routing.proposals import proposal_of
from approvals.routing.sealing import seal_with
from approvals.routing.stages import ALIVE
from approvals.standing.using import approve_by_standing
from catalog.changes.scheduling import openings_of
from catalog.offerings.emergency import STANDING
from catalog.offerings.queries import document_of
from catalog.requests.events import (
    RequestApproved,
    RequestPlanned,
    RequestRefused,
    RequestReplanned,
    RequestWithdrawn,
)
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, get_locked, hand_baton, move, subject_of
from catalog.requests.promise import calendar_for, promised
from catalog.requests.states import Move
from portal.audit import record
from portal.core.clock import now
from portal.core.events import publish
from portal.core.language import say
from portal.core.settings import Settings
from portal.identity.actor import PORTAL


def on_planned(session: Session, event: RequestPlanned, *, settings: Settings) -> None:
    """Resolve the route, make the seal over everything, and ask the first stage.

    Raises NobodyToAsk when a stage has too few people. Where no stage applies, the published offering version
    is what approves.
    """
    request = get_locked(session, event.request_id)
    proposal = proposal_of(session, request)
    stages = carry_over(session, request, route_of(session, proposal, request))
    seal_with(session, request, stages)
    close_carried(session, request, stages)
    document = document_of(request.version)
    begun = now(session)
    request.promised_by = promised(
        promised_by(session, stages, begun),
        document,
        proposal.facts,
        begun=begun,
        calendar=calendar_for(document, request.beneficiary),
        opening=openings_of(session, request),
    )
    if [stage.slug for stage in stages] == [STANDING]:
        approve_by_standing(session, request, stages[0])
    elif stages:
        open_next_stage(session, request, settings=settings)
    else:
        _approve_by_policy(session, request)


def on_replanned(session: Session, event: RequestReplanned) -> None:
    """Close every stage and void every decision so far; whoever was asked or had decided is told why."""
    request = get_locked(session, event.request_id)
    asked = _close_stages(session, request, event.why)
    voided = _void_decisions(session, request, event.why)
    tell_that_it_ended(session, request, asked | voided, event.why)


def on_withdrawn(session: Session, event: RequestWithdrawn) -> None:
    """Close what is open; whoever was asked is told that nothing is left to decide."""
    _end(session, event.request_id, say("It was withdrawn."))


def on_refused(session: Session, event: RequestRefused) -> None:
    """Close what is open; the portal itself has said no."""
    _end(session, event.request_id, say("The portal refused it."))


def _end(session: Session, request_id: int, why: str) -> None:
    request = get_locked(session, request_id)
    tell_that_it_ended(session, request, _close_stages(session, request, why), why)


def _approve_by_policy(session: Session, request: Request) -> None:
    version = request.version
    move(session, request, Move.APPROVE)
    request.decided_at = now(session)
    hand_baton(session, request, THE_PORTAL)
    record(
        session,
        tags.APPROVED_BY_POLICY,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "seal": request.seal,
            "offering": version.offering.slug,
            "version": version.number,
            "digest": version.digest,
            "publisher": f"person:{version.publisher_id}" if version.publisher_id else "portal",
        },
    )
    publish(session, RequestApproved(request.id))


def _close_stages(session: Session, request: Request, why: str) -> set[int]:
    """Close every stage that is alive, of any revision; gives who was being asked just now."""
    statement = select(Stage).where(Stage.request_id == request.id, Stage.state.in_(ALIVE))
    stages = session.scalars(statement.order_by(Stage.position, Stage.part)).all()
    open_ones = [stage.id for stage in stages if stage.state is StageState.OPEN]
    close_stages(session, request, stages, why)
    return set(session.scalars(select(StageApprover.person_id).where(StageApprover.stage_id.in_(open_ones))))


def close_stages(session: Session, request: Request, stages: Collection[Stage], why: str) -> None:
    """Close these stages without an outcome of their own, with an entry for each that had opened."""
    for stage in stages:
        was_asked = stage.opened_at is not None
        stage.state = StageState.CLOSED
        stage.closed_at = now(session)
        if was_asked:
            record(
                session,
                tags.STAGE_CLOSED,
                subject=subject_of(request),
                actor=PORTAL,
                facts={"stage": stage.slug, "revision": stage.revision, "seal": request.seal},
                personal={"why": why},
            )


def _void_decisions(session: Session, request: Request, why: str) -> set[int]:
    decisions = session.scalars(
        select(Decision).where(Decision.request_id == request.id, Decision.voided_at.is_(None))
    ).all()
    for decision in decisions:
        decision.voided_at = now(session)
        decision.voided_because = why
        record(
            session,
            tags.VOIDED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                "person": f"person:{decision.person_id}",
                "seal": decision.seal,
                "revision": decision.revision,
            },
            personal={"why": why},
        )
    return {decision.person_id for decision in decisions}
