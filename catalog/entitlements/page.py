"""One entitlement's page: what it is, what its reader may do about it, and what was asked and said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.entitlements.extending.model import Extension
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.recertifying.model import (
    Answer,
    Part,
    Recertification,
    RecertificationState,
    Voice,
)
from catalog.entitlements.recertifying.people import part_of
from catalog.entitlements.rights import Standing, standing_of
from catalog.fulfilment.targets import called
from catalog.offerings.queries import document_of
from catalog.requests.answers import spoken_end
from catalog.requests.audited import in_scope
from catalog.requests.model import Request
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

#: So many questions and extensions stand on the page, the latest first; all of them are in the evidence.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class VoiceLine:
    """What one person was asked as, and said. `answer` is empty for silence."""

    name: str
    owner: bool
    answer: str
    said: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question whether it is still needed. `mine` says that the reader may answer it now."""

    id: int
    state: str
    asked_at: datetime
    due_at: datetime
    last_used_at: datetime | None
    voices: tuple[VoiceLine, ...]
    mine: bool


@dataclass(frozen=True, slots=True)
class ExtensionLine:
    """A request to let it end later."""

    reference: str
    until: str
    state: str


@dataclass(frozen=True, slots=True)
class EntitlementPage:
    """Everything that its page shows. Times are in the reader's zone."""

    id: int
    label: str
    target: str
    holder: str
    mine: bool
    offering: str
    reference: str
    reason: str
    since: datetime
    until: str
    state: str
    ended_at: datetime | None
    end_reason: str
    may_give_back: bool
    may_end: bool
    may_extend: bool
    questions: tuple[QuestionLine, ...]
    extensions: tuple[ExtensionLine, ...]


def entitlement_page(session: Session, actor: Actor, entitlement_id: int) -> EntitlementPage:
    """The page as this actor sees it. Raises NotFound for whoever it does not concern, whether or not it exists."""
    entitlement, standing = find_for(session, actor, entitlement_id)
    request = session.scalars(
        select(Request)
        .where(Request.id == entitlement.request_id)
        .options(joinedload(Request.version), joinedload(Request.beneficiary))
    ).one()
    zone = ZoneInfo(actor.timezone)
    live = entitlement.state is EntitlementState.LIVE
    asked_for = actor.person_id in {request.requester_id, request.beneficiary_id}
    return EntitlementPage(
        id=entitlement.id,
        label=spoken(entitlement.label),
        target=spoken(called(entitlement.target)),
        holder=request.beneficiary.name,
        mine=standing is Standing.HOLDER,
        offering=document_of(request.version).spoken().name,
        reference=request.reference,
        reason=request.reason,
        since=entitlement.granted_at.astimezone(zone),
        until=spoken_end(entitlement.ends_at, actor.timezone),
        state=entitlement.state.value,
        ended_at=entitlement.ended_at.astimezone(zone) if entitlement.ended_at else None,
        end_reason=spoken(entitlement.end_reason),
        may_give_back=live and standing is Standing.HOLDER,
        may_end=live and standing in {Standing.MANAGER, Standing.OWNER},
        may_extend=live and asked_for and entitlement.ends_at is not None,
        questions=_questions(session, actor, entitlement),
        extensions=_extensions(session, actor, entitlement),
    )


def find_for(session: Session, actor: Actor, entitlement_id: int) -> tuple[Entitlement, Standing | None]:
    """The entitlement and how the actor stands to it; None for whoever asked for it in somebody's place, or is asked.

    Raises NotFound for anybody else.
    """
    entitlement = session.get(Entitlement, entitlement_id)
    if entitlement is not None:
        standing = standing_of(session, actor, entitlement)
        request = session.get_one(Request, entitlement.request_id)
        # What somebody asked for before their account became an auditor's is as foreign to it as anything else.
        if standing is not None or (actor.audit is None and request.requester_id == actor.person_id):
            return entitlement, standing
    raise NotFound(_("There is no such entitlement, or it is not yours to see."))


def question_line(session: Session, actor: Actor, question: Recertification) -> QuestionLine:
    """One question with what everybody said."""
    zone = ZoneInfo(actor.timezone)
    rows = session.execute(
        select(Voice, Person.name)
        .join(Person, Person.id == Voice.person_id)
        .where(Voice.recertification_id == question.id)
        .order_by(Voice.part, Person.name, Person.id)
    ).all()
    is_open = question.state is RecertificationState.OPEN
    return QuestionLine(
        id=question.id,
        state=question.state.value,
        asked_at=question.asked_at.astimezone(zone),
        due_at=question.due_at.astimezone(zone),
        last_used_at=question.last_used_at.astimezone(zone) if question.last_used_at else None,
        voices=tuple(
            VoiceLine(
                name=name,
                owner=voice.part is Part.OWNER,
                answer=_said(voice.answer),
                said=voice.said,
                answered_at=voice.answered_at.astimezone(zone) if voice.answered_at else None,
            )
            for voice, name in rows
        ),
        mine=is_open and part_of(session, actor, question) is not None,
    )


def _said(given: Answer | None) -> str:
    if given is None:
        return ""
    return _("Still needed") if given is Answer.KEEP else _("Not needed any more")


def _questions(session: Session, actor: Actor, entitlement: Entitlement) -> tuple[QuestionLine, ...]:
    """The latest with what was said; of those before it only how they ended is in the evidence."""
    latest = session.scalars(
        select(Recertification)
        .where(Recertification.entitlement_id == entitlement.id)
        .order_by(Recertification.id.desc())
        .limit(1)
    ).all()
    return tuple(question_line(session, actor, question) for question in latest)


def _extensions(session: Session, actor: Actor, entitlement: Entitlement) -> tuple[ExtensionLine, ...]:
    rows = session.execute(
        select(Request.reference, Request.state, Extension.until)
        .join(Request, Request.id == Extension.request_id)
        .where(Extension.entitlement_id == entitlement.id, in_scope(actor))
        .order_by(Extension.request_id.desc())
        .limit(SHOWN)
    )
    return tuple(
        ExtensionLine(reference, spoken_end(until, actor.timezone), state.value)
        for reference, state, until in rows
    )
