"""Scheduling: when a request is carried out, worked out anew at each step of its way and kept for the calendar."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.changes import tags
from catalog.changes.concerns import (
    Concerns,
    concerns_of,
    is_windowed,
    opening_for,
    restrictions_from,
    with_those_above,
)
from catalog.changes.model import ChangedAsset, PlannedChange, Scope
from catalog.changes.openings import Opening
from catalog.changes.telling import tell_moved, tell_planned
from catalog.offerings.emergency import BREAK_GLASS, COMMITTEE
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.context import Context, context_of
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.language import kept
from portal.identity.actor import PORTAL
from portal.identity.model import Person

#: What no window lets through is looked at again after so long, and whenever a window or freeze changes.
LOOK_AGAIN = timedelta(days=1)


def passes_windows(request: Request) -> bool:
    """Whether it was approved as an emergency, by a committee or by break-glass: it waits for no window or freeze."""
    return any(stage["slug"] in {COMMITTEE, BREAK_GLASS} for stage in request.route)


def plan_open(session: Session, request: Request) -> PlannedChange:
    """Work out when the request could be carried out if it were approved now, and keep it. Raises RuleFailed."""
    context = context_of(session, request)
    at = now(session)
    concerns = concerns_of(session, context, plans=request.plans)
    restrictions = restrictions_from(session, at)
    opening = opening_for(concerns, context.document, restrictions, at)
    change = _kept(session, request, concerns)
    _note(change, opening, at)
    return change


def schedule(session: Session, request: Request, at: datetime) -> datetime | None:
    """Work out when the approved request is carried out from `at` (now) on, keep it, and tell whoever is affected.

    Gives the moment (UTC) to wait for; None for at once. Where no moment lies in every window, it is looked at again
    after a day. Raises RuleFailed.
    """
    context = context_of(session, request)
    concerns = concerns_of(session, context, emergency=passes_windows(request), plans=request.plans)
    restrictions = restrictions_from(session, at)
    opening = opening_for(concerns, context.document, restrictions, at)
    change = _kept(session, request, concerns)
    before, was_scheduled = change.planned_at, change.scheduled
    waits = opening.at is None or opening.at > at
    _note(change, opening, at)
    change.scheduled = True
    change.shown_at = change.planned_at = opening.at
    moved = was_scheduled and opening.at != before and waits
    if waits and (moved or not was_scheduled):
        record(
            session,
            tags.MOVED if moved else tags.SCHEDULED,
            subject=subject_of(request),
            actor=PORTAL,
            facts=_facts(opening, before if moved else None),
        )
    windowed = is_windowed(concerns, context.document, restrictions)
    if moved:
        tell_moved(session, request, change, context, windowed=windowed)
    elif not was_scheduled:
        tell_planned(session, request, change, context, windowed=windowed, waits=waits)
    if not waits:
        return None
    return opening.at if opening.at is not None else at + LOOK_AGAIN


def opening_now(session: Session, request: Request, *, emergency: bool) -> Opening:
    """When it could be carried out from now on, with or without passing windows; keeps nothing. Raises RuleFailed."""
    context = context_of(session, request)
    at = now(session)
    concerns = concerns_of(session, context, emergency=emergency, plans=request.plans)
    return opening_for(concerns, context.document, restrictions_from(session, at), at)


def find_change(session: Session, request_id: int) -> PlannedChange | None:
    """The request's place in the calendar, if it has been prepared."""
    return session.scalars(select(PlannedChange).where(PlannedChange.request_id == request_id)).one_or_none()


def touch(session: Session, change: PlannedChange) -> None:
    """Have calendars outside notice that it is another now."""
    change.sequence += 1
    change.updated_at = now(session)


def _kept(session: Session, request: Request, concerns: Concerns) -> PlannedChange:
    """The request's change with what it concerns now; a new one the first time."""
    change = find_change(session, request.id)
    if change is None:
        change = PlannedChange(
            uid=uuid.uuid4().hex,
            request_id=request.id,
            offering_id=concerns.offering_id,
            unit_id=request.unit_id,
            scheduled=False,
            sequence=0,
            updated_at=now(session),
        )
        session.add(change)
    before = tuple(change.concerns["assets"]) if change.concerns else ()
    change.concerns = concerns.to_json()
    session.flush()
    if before != concerns.assets:
        session.execute(delete(ChangedAsset).where(ChangedAsset.change_id == change.id))
        session.add_all(
            ChangedAsset(change_id=change.id, asset_id=number) for number in dict.fromkeys(concerns.assets)
        )
        session.flush()
    return change


def _note(change: PlannedChange, opening: Opening, at: datetime) -> None:
    """Write the opening down. What could go at once has no moment of its own while it is open."""
    planned = opening.at if opening.at is not None and opening.at > at else None
    if planned != change.planned_at:
        change.sequence += 1
        change.updated_at = at
    change.planned_at = planned
    change.planned_until = opening.until
    change.windows = [kept(window.name) for window in opening.windows]
    change.freezes = [kept(freeze.reason) for freeze in opening.freezes]
    change.impossible = opening.at is None
    change.started_at = change.finished_at = None
    change.shown_at = planned


def _facts(opening: Opening, before: datetime | None) -> dict[str, object]:
    return {
        "at": opening.at.isoformat() if opening.at else None,
        **({"before": before.isoformat()} if before else {}),
        "windows": [window.number for window in opening.windows],
        "freezes": [freeze.number for freeze in opening.freezes],
    }


def openings_of(session: Session, request: Request) -> Callable[[datetime], datetime]:
    """Gives for a moment when the prepared request could be carried out from then on (UTC); one statement in all.

    Where no moment lies in every window, it is the moment itself: nobody can promise what never comes.
    """
    change = find_change(session, request.id)
    restrictions = restrictions_from(session, now(session))
    document = document_of(request.version)

    def opening(moment: datetime) -> datetime:
        if change is None:
            return moment
        found = opening_for(Concerns.from_json(change.concerns), document, restrictions, moment)
        return found.at or moment

    return opening


def openings_for(session: Session, context: Context, at: datetime) -> Callable[[datetime], datetime]:
    """As openings_of, for what has not been submitted yet."""
    concerns = concerns_of(session, context)
    restrictions = restrictions_from(session, at)
    return lambda moment: opening_for(concerns, context.document, restrictions, moment).at or moment


def usual_openings(
    session: Session, person: Person, versions: Iterable[OfferingVersion]
) -> dict[int, Callable[[datetime], datetime]]:
    """As openings_of, by offering, for somebody who asks now and has answered nothing: their own unit's, and every window.

    One statement, and one more where a unit has a window or a freeze.
    """
    restrictions = restrictions_from(session, now(session))
    units: tuple[int, ...] = (person.unit_id,)
    if any(restriction.scope is Scope.UNIT for restriction in restrictions):
        units = with_those_above(session, units)

    def opening(version: OfferingVersion) -> Callable[[datetime], datetime]:
        document = document_of(version)
        concerns = Concerns(version.offering_id, units, own_window=document.window is not None)
        return lambda moment: opening_for(concerns, document, restrictions, moment).at or moment

    return {version.offering_id: opening(version) for version in versions}
