"""Telling people of changes: before, when it is planned, a working day ahead and when it is moved; and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.changes.affected import people_affected
from catalog.changes.model import ChangedAsset, PlannedChange, ToldPerson
from catalog.offerings.queries import document_of
from catalog.requests.context import Context
from catalog.requests.model import Request
from catalog.requests.promise import calendar_for
from catalog.requests.states import State
from catalog.requests.telling import about
from portal.core.calendar import WorkingCalendar
from portal.core.clock import now
from portal.core.language import said
from portal.identity.model import Person
from portal.jobs import Job, enqueue
from portal.notifications import notify

PLANNED, OVER = "change_planned", "change_over"
WARN = "warn_of_change"
#: Looked back for a working day; longer than any run of holidays.
_FURTHEST = 20


def tell_planned(
    session: Session,
    request: Request,
    change: PlannedChange,
    context: Context,
    *,
    windowed: bool,
    waits: bool,
) -> None:
    """It was approved: tell whoever it affects when it is carried out, and again a working day ahead.

    The requester reads it in the mail that says so; quiet where it is done at once and affects nobody else.
    """
    people = list(people_affected(session, change, context, windowed=windowed))
    if waits and request.beneficiary_id != request.requester_id:
        people.append(request.beneficiary)
    _tell_before(session, request, change, people, news="planned")
    _warn_ahead(session, request, change)


def tell_moved(
    session: Session, request: Request, change: PlannedChange, context: Context, *, windowed: bool
) -> None:
    """A window or a freeze moved it: tell the requester, the beneficiary and whoever it affects."""
    people = [*people_affected(session, change, context, windowed=windowed), request.requester]
    if request.beneficiary_id != request.requester_id:
        people.append(request.beneficiary)
    _tell_before(session, request, change, people, news="moved")
    _warn_ahead(session, request, change)


def tell_over(session: Session, request: Request, change: PlannedChange, news: str) -> None:
    """Tell whoever was told before what became of it: `done`, `failed` or `cancelled`. Those who asked know already."""
    people = session.scalars(
        select(Person)
        .join(ToldPerson, ToldPerson.person_id == Person.id)
        .where(ToldPerson.change_id == change.id)
        .order_by(Person.id)
    ).all()
    context = _context(session, request, change)
    for person in people:
        if person.id not in {request.requester_id, request.beneficiary_id}:
            notify(session, OVER, person, {**context, "news": news})
    if news == "cancelled":
        session.execute(delete(ToldPerson).where(ToldPerson.change_id == change.id))


def warn_of_change(job: Job) -> None:
    """The task that says a working day ahead that a change is near, if it still is planned for then."""
    with job.transaction() as session:
        change = session.get(PlannedChange, job.payload["change_id"])
        if change is not None and _is_near(session, change, job.payload["at"]):
            people = session.scalars(
                select(Person)
                .join(ToldPerson, ToldPerson.person_id == Person.id)
                .where(ToldPerson.change_id == change.id)
                .order_by(Person.id)
            ).all()
            _tell_before(session, change.request, change, [*people, change.request.requester], news="soon")
        job.finish(session)


def day_ahead(calendar: WorkingCalendar, moment: datetime) -> datetime | None:
    """The same time by the clock on the working day before the moment (aware), in UTC; None where there is none."""
    zone = ZoneInfo(calendar.timezone)
    local = moment.astimezone(zone)
    for days in range(1, _FURTHEST):
        day = local.date() - timedelta(days=days)
        midnight = datetime.combine(day, datetime.min.time(), tzinfo=zone)
        if calendar.minutes_between(midnight, midnight + timedelta(days=1)):
            return datetime.combine(day, local.timetz()).astimezone(ZoneInfo("UTC"))
    return None


def _is_near(session: Session, change: PlannedChange, at: str) -> bool:
    """Whether it still waits for that moment, which is still to come."""
    planned = change.planned_at
    if planned is None or planned.isoformat() != at or planned <= now(session):
        return False
    return change.request.state is State.SCHEDULED


def _warn_ahead(session: Session, request: Request, change: PlannedChange) -> None:
    if change.planned_at is None:
        return
    calendar = calendar_for(document_of(request.version), request.beneficiary)
    ahead = day_ahead(calendar, change.planned_at)
    if ahead is None or ahead <= now(session):
        return
    at = change.planned_at.isoformat()
    enqueue(
        session,
        WARN,
        {"change_id": change.id, "at": at},
        run_at=ahead,
        subject=f"change:{change.id}",
        dedupe_key=f"{WARN}:{change.id}:{at}",
    )


def _tell_before(
    session: Session, request: Request, change: PlannedChange, people: Iterable[Person], *, news: str
) -> None:
    context = _context(session, request, change)
    known = set(session.scalars(select(ToldPerson.person_id).where(ToldPerson.change_id == change.id)))
    parties = {request.requester_id, request.beneficiary_id}
    for person in {person.id: person for person in people}.values():
        mine = about(request) if person.id in parties else {}
        notify(session, PLANNED, person, {**context, **mine, "news": news})
        if person.id not in known | parties:
            session.add(ToldPerson(change_id=change.id, person_id=person.id))
    session.flush()


def _context(session: Session, request: Request, change: PlannedChange) -> Mapping[str, Any]:
    """What those who may not see the request itself are told of it: the service, what it touches, and when."""
    document = document_of(request.version)
    assets = session.scalars(
        select(Asset)
        .join(ChangedAsset, ChangedAsset.asset_id == Asset.id)
        .where(ChangedAsset.change_id == change.id)
        .order_by(Asset.asset_id)
    )
    return {
        "reference": "",
        "title": "",
        "offering": document.say(document.name),
        "assets": [f"{asset.name} ({asset.asset_id})" for asset in assets],
        "carried_out_at": change.planned_at,
        "windows": [said(name) for name in change.windows],
        "freezes": [said(reason) for reason in change.freezes],
        "path": "/changes",
    }
