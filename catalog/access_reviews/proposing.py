"""A campaign as somebody wants it, and what is checked of it before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from catalog.access_reviews.model import AtEnd
from catalog.access_reviews.scope import Scope
from catalog.requests.context import close_of_day, day_of
from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors, Forbidden
from portal.core.language import _
from portal.core.text import clean_line, clean_text
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

SHORTEST_NAME, LONGEST_NAME = 3, 120
SHORTEST_REASON, LONGEST_REASON = 10, 1000
#: Days that reviewers have at least, and at most.
SHORTEST, LONGEST = 2, 366
MOST_MORE_DAYS = 60


@dataclass(frozen=True, slots=True)
class Proposal:
    """A campaign as somebody wants it. `last_day` is the last on which answers are taken, in their own zone."""

    name: str
    reason: str
    scope: Scope
    last_day: date | None
    at_end: AtEnd
    #: Working days; counts only where unanswered items go on to somebody.
    more_days: int


def check(session: Session, actor: Actor, proposal: Proposal) -> Proposal:
    """The proposal with clean words. Raises Forbidden, FieldErrors."""
    if not actor.may(Permission.RUN_ACCESS_REVIEWS) or actor.person_id is None:
        raise Forbidden(_("Only compliance opens an access review."))
    errors: list[FieldError] = []
    name = reason = ""
    try:
        name = clean_line(proposal.name)
        if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
            errors.append(
                FieldError("name", _("Give it a name of 3 to %(most)s characters.", most=LONGEST_NAME))
            )
    except ValueError as error:
        errors.append(FieldError("name", f"{error}."))
    try:
        reason = clean_text(proposal.reason)
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            errors.append(
                FieldError("reason", _("Give a reason of 10 to %(most)s characters.", most=LONGEST_REASON))
            )
    except ValueError as error:
        errors.append(FieldError("reason", f"{error}."))
    today = day_of(now(session), actor.timezone)
    first, last = today + timedelta(days=SHORTEST), today + timedelta(days=LONGEST)
    if proposal.last_day is None or not first <= proposal.last_day <= last:
        errors.append(
            FieldError("last_day", _("Give a day that is at least two days away, and within a year."))
        )
    if proposal.at_end is AtEnd.ESCALATE and not 1 <= proposal.more_days <= MOST_MORE_DAYS:
        errors.append(FieldError("more_days", _("Give 1 to %(most)s working days.", most=MOST_MORE_DAYS)))
    if errors:
        raise FieldErrors(tuple(errors))
    more_days = proposal.more_days if proposal.at_end is AtEnd.ESCALATE else 0
    return Proposal(name, reason, proposal.scope, proposal.last_day, proposal.at_end, more_days)


def due_of(actor: Actor, proposal: Proposal) -> datetime:
    """When its last day is over (UTC). Raises FieldError without one."""
    due = close_of_day(proposal.last_day, actor.timezone)
    if due is None:
        raise FieldError("last_day", _("Say until which day answers are taken."))
    return due
