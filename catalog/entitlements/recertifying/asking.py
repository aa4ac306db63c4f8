"""Asking whether something is still needed: one question to whoever has it and to whoever answers for it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.ending import get_locked_entitlement
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.recertifying.closing import find_open
from catalog.entitlements.recertifying.model import (
    Answer,
    Part,
    Recertification,
    RecertificationState,
    Voice,
)
from catalog.entitlements.recertifying.people import owners_to_ask
from catalog.fulfilment.targets import called
from catalog.offerings.route import CalendarRule
from catalog.offerings.words import MINUTES
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from catalog.requests.working_hours import calendars_of
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL
from portal.identity.model import Person
from portal.notifications import notify

#: Working days until silence counts, and until whoever is silent is reminded; in the working time of who is asked.
DAYS_TO_ANSWER = 10
DAYS_UNTIL_REMINDER = 5


def ask(session: Session, entitlement_id: int, *, last_used_at: datetime | None) -> Recertification | None:
    """Put the question that is due, and mail it to everybody who is asked; None where nothing is to be asked any more.

    `last_used_at` (UTC) is what the target told, None where it does not know.
    """
    entitlement = get_locked_entitlement(session, entitlement_id)
    at = now(session)
    due = entitlement.review_at is not None and entitlement.review_at <= at
    if not due or entitlement.state is not EntitlementState.LIVE or find_open(session, entitlement.id):
        return None
    request = session.get_one(Request, entitlement.request_id)
    holder = session.get_one(Person, entitlement.person_id)
    owners = owners_to_ask(session, entitlement)
    entitlement.review_at = None
    question = Recertification(
        entitlement_id=entitlement.id,
        state=RecertificationState.OPEN,
        asked_at=at,
        due_at=_after(session, holder, [owner.person.id for owner in owners], DAYS_TO_ANSWER, at),
        remind_at=_after(session, holder, [owner.person.id for owner in owners], DAYS_UNTIL_REMINDER, at),
        last_used_at=last_used_at,
    )
    session.add(question)
    session.flush()
    session.add(Voice(recertification_id=question.id, person_id=holder.id, part=Part.HOLDER))
    session.add_all(
        Voice(recertification_id=question.id, person_id=owner.person.id, part=Part.OWNER, rule=owner.rule)
        for owner in owners
    )
    session.flush()
    record(
        session,
        tags.RECERTIFICATION_ASKED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "recertification": question.id,
            "entitlement": entitlement.id,
            "holder": f"person:{holder.id}",
            "owners": [{"person": f"person:{owner.person.id}", "rule": owner.rule} for owner in owners],
            "due_at": question.due_at.isoformat(),
            "last_used_at": last_used_at.isoformat() if last_used_at else None,
        },
    )
    for person in (holder, *(owner.person for owner in owners)):
        notify(session, "recertification_asked", person, told_of(session, question, entitlement, person))
    return question


def remind(session: Session, question_id: int) -> None:
    """Ask once more whoever has not answered; of the owners nobody, once one of them has."""
    question = session.get_one(Recertification, question_id)
    entitlement = get_locked_entitlement(session, question.entitlement_id)
    session.refresh(question)
    if question.state is not RecertificationState.OPEN or question.remind_at is None:
        return
    question.remind_at = None
    voices = voices_of(session, question)
    owners_spoke = any(voice.part is Part.OWNER and voice.answer for voice in voices)
    silent = [
        voice for voice in voices if voice.answer is None and not (voice.part is Part.OWNER and owners_spoke)
    ]
    record(
        session,
        tags.RECERTIFICATION_REMINDED,
        subject=subject_of(session.get_one(Request, entitlement.request_id)),
        actor=PORTAL,
        facts={
            "recertification": question.id,
            "entitlement": entitlement.id,
            "people": [f"person:{voice.person_id}" for voice in silent],
        },
    )
    for voice in silent:
        person = session.get_one(Person, voice.person_id)
        notify(session, "recertification_reminder", person, told_of(session, question, entitlement, person))


def voices_of(session: Session, question: Recertification) -> list[Voice]:
    """Everybody who is asked, the holder first."""
    statement = select(Voice).where(Voice.recertification_id == question.id)
    return sorted(session.scalars(statement), key=lambda voice: (voice.part is Part.OWNER, voice.person_id))


def told_of(
    session: Session, question: Recertification, entitlement: Entitlement, person: Person
) -> dict[str, Any]:
    """What the mails of a question show to this person."""
    request = session.get_one(Request, entitlement.request_id)
    holder = session.get_one(Person, entitlement.person_id)
    return {
        **about(request),
        "label": entitlement.label,
        "target": called(entitlement.target),
        "holder": holder.name,
        "mine": holder.id == person.id,
        "reason": request.reason,
        "granted_at": entitlement.granted_at,
        "last_used_at": question.last_used_at,
        "due_at": question.due_at,
        "path": f"/entitlements/questions/{question.id}",
    }


def spoken_for(voices: Collection[Voice], part: Part) -> Answer | None:
    """What this part has said: no beats yes, whoever of several said it."""
    answers = {voice.answer for voice in voices if voice.part is part and voice.answer is not None}
    if Answer.NOT_NEEDED in answers:
        return Answer.NOT_NEEDED
    return Answer.KEEP if answers else None


def _after(session: Session, holder: Person, owners: list[int], days: int, at: datetime) -> datetime:
    """When the holder and at least one owner have had so many working days."""
    calendars = calendars_of(session, {holder.id, *owners}, CalendarRule())
    minutes = days * MINUTES["d"]
    ends = {number: calendar.add(at, minutes) for number, calendar in calendars.items()}
    first_owner = min((ends[number] for number in owners), default=at)
    return max(ends[holder.id] if holder.active else at, first_owner)
