"""Reminding: whoever is still to decide an open stage, and is at work today, is told once more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from approvals.links.create import create_link
from approvals.routing.model import Stage
from approvals.timing import tags
from approvals.timing.asked import Standing
from approvals.timing.telling import tell
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.route import RouteApprover
from portal.audit import record
from portal.core.settings import Settings
from portal.identity.absences.queries import away_today
from portal.identity.actor import PORTAL


def remind(
    session: Session, request: Request, stage: Stage, standing: Standing, *, settings: Settings
) -> None:
    """Write the reminder to everybody who is still to decide and works today, with a new link each."""
    people = at_work(session, standing.left_in(stage))
    record(
        session,
        tags.REMINDED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "stage": stage.slug,
            "revision": stage.revision,
            "people": [f"person:{person.person_id}" for person in people],
        },
    )
    tell(session, "approval_reminder", request, stage, linked(session, stage, people, settings))


def at_work(session: Session, people: Sequence[RouteApprover]) -> Sequence[RouteApprover]:
    """Those who are not away today; everybody where all of them are."""
    away = away_today(session, [person.person_id for person in people])
    return [person for person in people if person.person_id not in away] or people


def linked(
    session: Session, stage: Stage, people: Sequence[RouteApprover], settings: Settings
) -> dict[int, str]:
    """A new link to the stage for each of them, as a path by person."""
    return {
        person.person_id: "/a/"
        + create_link(session, stage_id=stage.id, person_id=person.person_id, days=settings.link_days)
        for person in people
    }
