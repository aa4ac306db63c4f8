"""Gathering a request's page: few statements, all of them here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.attachments.queries import attachments_of
from catalog.changes.beside import change_card
from catalog.changes.scheduling import find_change
from catalog.entitlements.extending.model import Extension
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.effects import BY_HAND
from catalog.fulfilment.model import Artefact, Step, StepState
from catalog.fulfilment.whereabouts import whereabouts
from catalog.offerings.emergency import BREAK_GLASS, COMMITTEE
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.ordering.times import spoken_moment
from catalog.requests.answers import answer_lines
from catalog.requests.baton import baton_of
from catalog.requests.conversation import Conversations
from catalog.requests.ends import spoken_end_of
from catalog.requests.model import Request
from catalog.requests.named import named_in
from catalog.requests.policy import policy_that_approved
from catalog.requests.presenters import (
    RequestPage,
    StepCard,
    lines_of,
    plan_cards,
    risk_card,
    stage_cards,
)
from catalog.requests.progress import MOVING, progress_of
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from catalog.requests.states import TRANSITIONS, Move, State
from catalog.requests.timeline import timeline_of
from portal.core.clock import now
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

#: Where an operator may have something to do.
_OPERATED = frozenset({State.FULFILLING, State.FAILED})
#: Where something may be in place because of it, or have been.
_OVER = frozenset({State.FULFILLED, State.ENDED})


def request_page(
    session: Session, actor: Actor, reference: str, *, router: Router, conversations: Conversations
) -> RequestPage:
    """The page of one request as this actor sees it. Raises NotFound for one that is not theirs to see."""
    request = request_for(session, actor, reference, router)
    zone = ZoneInfo(actor.timezone)
    stages = router.progress(session, request.id)
    steps, artefacts = _steps(session, request)
    document = document_of(request.version)
    mine = request.requester_id == actor.person_id
    parties = (request.requester, request.beneficiary)

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone) if moment else None

    return RequestPage(
        reference=request.reference,
        title=spoken(request.title),
        offering=document.spoken().name,
        slug=request.version.document["slug"],
        version=request.version.number,
        state=request.state.value,
        requester=request.requester.name,
        beneficiary=request.beneficiary.name,
        for_self=request.requester_id == request.beneficiary_id,
        reason=request.reason,
        submitted_at=request.submitted_at.astimezone(zone),
        ends=spoken_end_of(request, document, actor.timezone),
        promised_by=local(request.promised_by),
        promised_text=spoken_moment(request.promised_by.astimezone(zone), now(session).astimezone(zone))
        if request.promised_by
        else "",
        missed=request.promise_missed_at is not None,
        paused_since=local(request.paused_since),
        order_group_id=request.order_group_id
        if actor.audit is None and (mine or actor.may(Permission.READ_ALL_REQUESTS))
        else None,
        may_order_again=not actor.only_audits and (mine or request.beneficiary_id == actor.person_id),
        outcome=document.speak(request.outcome),
        seal=request.seal,
        sealed_at=local(request.sealed_at),
        now=now(session).astimezone(zone),
        answers=answer_lines(
            document, request.answers, named_in(session, document, request.answers, parties)
        ),
        plan=plan_cards(request.plans, speak=document.speak),
        risk=risk_card(request.risk, speak=document.speak),
        stages=stage_cards(stages, timezone=actor.timezone, speak=document.speak),
        policy=policy_that_approved(session, request, timezone=actor.timezone),
        baton=baton_of(request, stages, timezone=actor.timezone, now=now(session)),
        steps=tuple(_step_card(request, step, zone, document) for step in steps),
        artefacts=artefacts,
        has_password=request.beneficiary_id == actor.person_id and any(map(_waits_to_be_shown, steps)),
        attached=tuple((file.id, file.name) for file in attachments_of(session, request.id)),
        timeline=timeline_of(
            session,
            request.reference,
            timezone=actor.timezone,
            steps={
                position: document.speak(plan["name"]) for position, plan in enumerate(request.plans, start=1)
            },
        ),
        conversation=conversations.of(session, actor, request),
        change=change_card(session, actor, request, find_change(session, request.id), sees=router),
        progress=progress_of(request, steps, timezone=actor.timezone, at=now(session)),
        may_operate=bool(steps) and request.state in _OPERATED and actor.may(Permission.OPERATE),
        moving=request.state in MOVING,
        may_withdraw=mine and (request.state, Move.WITHDRAW) in TRANSITIONS,
        may_edit=mine and request.state is State.PENDING,
        may_read_evidence=actor.may(Permission.READ_EVIDENCE),
        brought=_brought(session, actor, request),
        reviewed=request.decided_at is not None
        and any(stage["slug"] in {COMMITTEE, BREAK_GLASS} for stage in request.route),
        may_break_glass=request.state is State.PENDING and actor.may(Permission.BREAK_GLASS),
    )


def _steps(session: Session, request: Request) -> tuple[Sequence[Step], tuple[str, ...]]:
    """The last attempt's steps of the present revision, and the names of all files, in one statement."""
    rows = session.execute(
        select(Step, Artefact.name)
        .outerjoin(Artefact, Artefact.step_id == Step.id)
        .where(Step.request_id == request.id)
        .order_by(Step.revision, Step.attempt, Step.position, Artefact.name)
    ).all()
    last = max(((step.revision, step.attempt) for step, _ in rows), default=(0, 0))
    steps: Mapping[int, Step] = {
        step.id: step
        for step, _ in rows
        if (step.revision, step.attempt) == last and step.revision == request.revision
    }
    return tuple(steps.values()), tuple(dict.fromkeys(name for _, name in rows if name))


def _brought(session: Session, actor: Actor, request: Request) -> tuple[tuple[int, str], ...]:
    """What it put in place or prolonged; of others only for who reads all. One statement, once it is fulfilled."""
    if request.state not in _OVER:
        return ()
    prolonged = select(Extension.entitlement_id).where(Extension.request_id == request.id)
    statement = (
        select(Entitlement.id, Entitlement.label)
        .where(or_(Entitlement.request_id == request.id, Entitlement.id.in_(prolonged)))
        .order_by(Entitlement.id)
    )
    if not actor.may(Permission.READ_ALL_REQUESTS):
        statement = statement.where(Entitlement.person_id == actor.person_id)
    return tuple((number, spoken(label)) for number, label in session.execute(statement))


def _waits_to_be_shown(step: Step) -> bool:
    return (
        step.plan["document"].get("shown_to") == "beneficiary"
        and step.state is StepState.DONE
        and step.secret_shown_at is None
    )


def _step_card(request: Request, step: Step, zone: ZoneInfo, document: OfferingDocument) -> StepCard:
    ended = request.state is State.ENDED and step.state is StepState.DONE
    return StepCard(
        name=document.speak(step.name),
        connector=step.connector,
        state=step.state.value,
        finished_at=step.finished_at.astimezone(zone) if step.finished_at else None,
        did=lines_of(step.outcome),
        read=lines_of(step.read_back),
        error=spoken(step.error),
        where="" if ended else whereabouts(step),
        unseen=step.state is StepState.DONE
        and step.outcome.get("found") == BY_HAND
        and step.read_back.get("present") is not True,
    )
