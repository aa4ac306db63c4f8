"""What the pages of emergencies show: frozen, in the reader's zone and language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from approvals.emergency.debt import UNDOING
from approvals.emergency.glass import glass_stage, open_word, seal_of
from approvals.emergency.model import Cause, Review, ReviewState
from approvals.emergency.queries import (
    Owed,
    latest_review,
    reviewers_with_words,
    reviews_over,
    reviews_owed,
)
from approvals.emergency.speaking import may_speak
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.presenters import PlanCard, RiskCard, StageCard, plan_cards, risk_card, stage_cards
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import N_, _, said, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

CAUSES = {Cause.EMERGENCY: N_("Emergency"), Cause.BREAK_GLASS: N_("Break-glass")}


@dataclass(frozen=True, slots=True)
class DebtRow:
    """One review in the list. `state` is open, late, undoing, undone, right or wrong."""

    reference: str
    offering: str
    cause: str
    state: str
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    #: Who has not spoken yet.
    waiting: str
    mine: bool


@dataclass(frozen=True, slots=True)
class DebtPage:
    """The debt: how many weigh now, which, and what became of the ones before."""

    owed: tuple[DebtRow, ...]
    over: tuple[DebtRow, ...]
    open: int
    undoing: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Voice:
    """One person who was passed over, and what they found, if they have spoken."""

    person: str
    relation: str
    finding: str
    reason: str
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class SeatCard:
    """One stage that was passed over."""

    name: str
    quorum: int
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One review: what was done without its approvers, who decided instead, what those now find."""

    reference: str
    title: str
    offering: str
    reason: str
    requester: str
    broken: bool
    state: str
    opened_at: datetime
    due_at: datetime
    plan: tuple[PlanCard, ...]
    risk: RiskCard | None
    stages: tuple[StageCard, ...]
    seats: tuple[SeatCard, ...]
    may_speak: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class GlassPage:
    """What a holder of the role reads before breaking the glass."""

    reference: str
    title: str
    offering: str
    reason: str
    requester: str
    plan: tuple[PlanCard, ...]
    risk: RiskCard | None
    #: The approval chain that would be passed over.
    stages: tuple[StageCard, ...]
    seal: str
    #: Who has spoken first and why; empty while nobody has.
    first: str
    first_reason: str
    first_until: datetime | None
    mine: bool
    #: Why the reader cannot; empty when they can.
    why_not: str
    now: datetime


def debt_page(session: Session, actor: Actor) -> DebtPage:
    """The debt as everybody sees it; three statements."""
    at = now(session)
    weighing = reviews_owed(session)
    return DebtPage(
        owed=tuple(_row(one, actor, at) for one in weighing),
        over=tuple(_row(one, actor, at) for one in reviews_over(session)),
        open=sum(one.review.state is ReviewState.OPEN for one in weighing),
        undoing=sum(one.review.state in UNDOING for one in weighing),
        now=at.astimezone(ZoneInfo(actor.timezone)),
    )


def review_page(session: Session, actor: Actor, reference: str, router: Router) -> ReviewPage:
    """The last review of the request. Raises NotFound where there is none, or the request is not theirs to see."""
    request = request_for(session, actor, reference, router)
    review = latest_review(session, request)
    if review is None:
        raise NotFound(_("There is nothing to review here."))
    zone = ZoneInfo(actor.timezone)
    at = now(session)
    people = reviewers_with_words(session, review)
    has_spoken = any(word and reviewer.person_id == actor.person_id for reviewer, _name, word in people)
    document = document_of(request.version)
    return ReviewPage(
        reference=request.reference,
        title=spoken(request.title),
        offering=document.spoken().name,
        reason=request.reason,
        requester=request.requester.name,
        broken=review.cause is Cause.BREAK_GLASS,
        state=_state(review, at),
        opened_at=review.opened_at.astimezone(zone),
        due_at=review.due_at.astimezone(zone),
        plan=plan_cards(request.plans, speak=document.speak),
        risk=risk_card(request.risk, speak=document.speak),
        stages=stage_cards(
            router.progress(session, request.id), timezone=actor.timezone, speak=document.speak
        ),
        seats=tuple(
            SeatCard(
                name=spoken(said(seat["name"])),
                quorum=seat["quorum"],
                voices=tuple(
                    Voice(
                        person=name,
                        relation=spoken(reviewer.relation),
                        finding=word.finding.value if word else "",
                        reason=word.reason if word else "",
                        said_at=word.said_at.astimezone(zone) if word else None,
                    )
                    for reviewer, name, word in people
                    if reviewer.stage == seat["slug"]
                ),
            )
            for seat in review.seats
        ),
        may_speak=review.state is ReviewState.OPEN
        and at < review.due_at
        and review.revision == request.revision
        and not has_spoken
        and any(reviewer.person_id == actor.person_id for reviewer, _name, _word in people)
        and may_speak(session, request, review, actor.person_id or 0),
        now=at.astimezone(zone),
    )


def glass_page(session: Session, actor: Actor, reference: str, router: Router) -> GlassPage:
    """What would happen if the glass were broken on the request. Raises NotFound."""
    request = request_for(session, actor, reference, router)
    zone = ZoneInfo(actor.timezone)
    document = document_of(request.version)
    pending = request.state is State.PENDING
    stage = glass_stage(session, request)
    word = open_word(session, request) if pending else None
    first = session.get_one(Person, word.person_id) if word else None
    return GlassPage(
        reference=request.reference,
        title=spoken(request.title),
        offering=document.spoken().name,
        reason=request.reason,
        requester=request.requester.name,
        plan=plan_cards(request.plans, speak=document.speak),
        risk=risk_card(request.risk, speak=document.speak),
        stages=stage_cards(
            router.progress(session, request.id), timezone=actor.timezone, speak=document.speak
        ),
        seal=seal_of(request, stage) if pending else "",
        first=first.name if first else "",
        first_reason=word.reason if word else "",
        first_until=word.ends_at.astimezone(zone) if word else None,
        mine=word is not None and word.person_id == actor.person_id,
        why_not=_why_not(request, [person.person_id for person in stage.approvers], actor),
        now=now(session).astimezone(zone),
    )


def _why_not(request: Request, holders: Sequence[int], actor: Actor) -> str:
    if request.state is not State.PENDING:
        return _("This request does not wait for approval, so there is no glass to break.")
    if actor.person_id not in holders:
        return _(
            "You ask for this, receive it, published the service or have decided already, so you cannot."
        )
    if len(holders) == 1:
        return _("Nobody else holds this role, so nobody could agree with you.")
    return ""


def _row(one: Owed, actor: Actor, at: datetime) -> DebtRow:
    zone = ZoneInfo(actor.timezone)
    review = one.review
    return DebtRow(
        reference=one.reference,
        offering=document_of(one.version).spoken().name,
        cause=_(CAUSES[review.cause]),
        state=_state(review, at),
        opened_at=review.opened_at.astimezone(zone),
        due_at=review.due_at.astimezone(zone),
        closed_at=review.closed_at.astimezone(zone) if review.closed_at else None,
        waiting=", ".join(name for _number, name in one.waiting),
        mine=actor.person_id in {number for number, _name in one.waiting},
    )


def _state(review: Review, at: datetime) -> str:
    if review.state is ReviewState.OPEN:
        return "late" if at >= review.due_at else "open"
    if review.state in UNDOING:
        return "undone" if review.undone_at else "undoing"
    return review.state.value
