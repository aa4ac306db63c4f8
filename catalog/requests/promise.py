"""The promise: when a request will be done if everybody uses up their time, and what becomes of it.

It stands still while the requester is asked something. A promise that passed is marked once, and the group that
answers for the offering is told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.offerings.facts import Facts
from catalog.offerings.first_aid import is_emergency
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.offerings.rules import holds, starts_at
from catalog.offerings.windows import next_opening
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.states import State
from catalog.requests.telling import about
from catalog.requests.working_hours import calendar_of
from portal.audit import record
from portal.core.calendar import WorkingCalendar
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.identity.model import Person
from portal.identity.people import members_of
from portal.identity.unit_settings import UnitSettings
from portal.jobs import Job
from portal.notifications import notify

#: What the worker needs after the last approval, with its retries while a target is away.
FULFILMENT = timedelta(minutes=15)
#: What people carry out by hand.
MANUAL = "manual"
#: A promise can only be missed while something is still to be done.
_UNDER_WAY = (State.PREPARING, State.PENDING, State.SCHEDULED, State.FULFILLING, State.FAILED)
#: How many one round marks; what is left comes with the next one.
_AT_ONCE = 200


def promised(
    last_stage_due: datetime,
    document: OfferingDocument,
    facts: Facts | None,
    *,
    begun: datetime,
    calendar: WorkingCalendar,
    opening: Callable[[datetime], datetime] | None = None,
) -> datetime:
    """When it is done (UTC), given when the last stage is due and when it was begun.

    It waits for the offering's start and the next change window, or for what `opening` gives, which knows of every
    window and freeze (catalog.changes.scheduling). Where people carry it out by hand the offering's
    own target counts, on this calendar, if that is later. Without facts every condition counts as true.
    """
    ready = last_stage_due
    if facts is not None and (start := starts_at(document, facts)) is not None:
        ready = max(ready, start)
    window = document.window
    if facts is not None and is_emergency(document, facts):
        window = None
    if opening is not None:
        ready = opening(ready)
    elif window is not None and (window.when is None or facts is None or holds(window.when, facts)):
        ready = next_opening(window, ready)
    done = ready + FULFILMENT
    if any(step.connector == MANUAL for step in document.fulfilment):
        done = max(done, calendar.add(begun, document.target_minutes))
    return done


def calendar_for(document: OfferingDocument, person: Person) -> WorkingCalendar:
    """How the person's unit works, by the offering's rule: the calendar of targets that are nobody's in particular.

    Reads the person's unit.
    """
    unit = person.unit
    return calendar_of(
        document.calendar, unit.timezone, unit.country, unit=UnitSettings.from_json(unit.settings)
    )


def pause(session: Session, request: Request) -> None:
    """The requester is asked something: the clock stands still from now on. Twice is once."""
    if request.paused_since is None:
        request.paused_since = now(session)


def resume(session: Session, request: Request) -> None:
    """The requester answered: the promise moves by the working time for which the clock stood still."""
    if request.paused_since is None:
        return
    calendar = calendar_for(document_of(request.version), request.beneficiary)
    stood_still = calendar.minutes_between(request.paused_since, now(session))
    request.paused_since = None
    request.paused_minutes += stood_still
    if request.promised_by is not None and stood_still:
        request.promised_by = calendar.add(request.promised_by, stood_still)


def mark_missed_promises(job: Job) -> None:
    """The task that looks for promises that passed. Each is marked, recorded and told once."""
    with job.reading() as session:
        numbers = session.scalars(
            select(Request.id)
            .where(
                Request.promised_by < now(session),
                Request.promise_missed_at.is_(None),
                Request.paused_since.is_(None),
                Request.state.in_(_UNDER_WAY),
            )
            .order_by(Request.promised_by)
            .limit(_AT_ONCE)
        ).all()
    for number in numbers:
        with job.transaction() as session:
            _mark(session, get_locked(session, number))


def _mark(session: Session, request: Request) -> None:
    """Looks again at the locked row: it may have been finished, or asked about, meanwhile."""
    at = now(session)
    promised_by = request.promised_by
    if promised_by is None or promised_by >= at or request.promise_missed_at is not None:
        return
    if request.paused_since is not None or request.state not in _UNDER_WAY:
        return
    request.promise_missed_at = at
    record(
        session,
        tags.PROMISE_MISSED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"promised_by": promised_by.isoformat(), "state": request.state.value},
    )
    beneficiary = session.scalars(
        select(Person).where(Person.id == request.beneficiary_id).options(joinedload(Person.unit))
    ).one()
    for owner in members_of(session, document_of(request.version).owner):
        notify(
            session,
            "promise_missed",
            owner,
            {
                **about(request),
                "promised_by": promised_by,
                "waiting_for": request.baton or say("nobody in particular"),
                "beneficiary": beneficiary.name,
            },
        )
