"""Nudging: the requester asks the approvers to look, at most once a working day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.timing import tags
from approvals.timing.asked import standing_of
from approvals.timing.remind import at_work, linked
from approvals.timing.telling import tell
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.promise import calendar_for
from catalog.requests.states import State
from portal.audit import record
from portal.audit.model import Entry
from portal.core.clock import now
from portal.core.errors import Conflict, Forbidden
from portal.core.language import _
from portal.core.settings import Settings
from portal.core.times import weekday
from portal.identity.actor import Actor


def nudge(session: Session, actor: Actor, request_id: int, *, settings: Settings) -> int:
    """Tell whoever still has to decide that the requester waits; gives how many were told.

    Raises Forbidden for anybody but the requester, Conflict where nobody has to decide just now, or where they were
    nudged on this working day of the requester's already.
    """
    request = get_locked(session, request_id)
    if actor.person_id is None or actor.person_id != request.requester_id:
        raise Forbidden(_("Only the person who made this request can ask the approvers to look."))
    if request.state is not State.PENDING:
        raise Conflict(_("Nobody has to decide this request just now."))
    if request.paused_since is not None:
        raise Conflict(_("The approvers wait for you: answer what they asked, and the clock goes on."))
    _insist_on_another_day(session, request, ZoneInfo(request.requester.timezone))
    standing = standing_of(session, request)
    told: set[int] = set()
    for stage in standing.open_stages:
        people = [
            person for person in at_work(session, standing.left_in(stage)) if person.person_id not in told
        ]
        told |= {person.person_id for person in people}
        tell(session, "approval_nudged", request, stage, linked(session, stage, people, settings))
    record(
        session,
        tags.NUDGED,
        subject=subject_of(request),
        actor=actor,
        facts={"revision": request.revision, "people": [f"person:{number}" for number in sorted(told)]},
    )
    return len(told)


def _insist_on_another_day(session: Session, request: Request, zone: ZoneInfo) -> None:
    """A weekend is no new day: after a Friday's nudge the next one is Monday's."""
    last = session.scalar(
        select(Entry.at)
        .where(Entry.subject == subject_of(request), Entry.tag == tags.NUDGED)
        .order_by(Entry.number.desc())
        .limit(1)
    )
    if last is None:
        return
    again = _next_working_day(request, last, zone)
    if now(session) < again:
        raise Conflict(
            _(
                "You have asked them already. You can ask again from %(day)s.",
                day=weekday(again.astimezone(zone)),
            )
        )


def _next_working_day(request: Request, last: datetime, zone: ZoneInfo) -> datetime:
    """The first working moment after the requester's day on which they last did."""
    tomorrow = (last.astimezone(zone) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    calendar = calendar_for(document_of(request.version), request.requester)
    opens = calendar.add(tomorrow, 0).astimezone(zone)
    return opens.replace(hour=0, minute=0, second=0, microsecond=0)
