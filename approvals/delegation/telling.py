"""What the two people of a delegation are told by mail."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from approvals.delegation.model import Delegation
from catalog.offerings.queries import published_versions
from portal.identity.model import Person
from portal.notifications import notify

PAGE = "/me/delegations"


def tell_given(
    session: Session,
    delegation: Delegation,
    delegator: Person,
    substitute: Person,
    offerings: Sequence[str],
) -> None:
    """Tell the substitute what they may decide, and the delegator that it was given: it may not have been them."""
    names = [
        version.document["name"]
        for version in (published_versions(session) if offerings else ())
        if version.offering.slug in offerings
    ]
    context = {**_about(delegation), "offerings": names, "path": PAGE}
    notify(session, "delegation_given", substitute, {**context, "delegator": delegator.name})
    notify(session, "delegation_made", delegator, {**context, "substitute": substitute.name}, urgent=True)


def tell_ended(
    session: Session, delegation: Delegation, told: Person, other: Person, *, declined: bool
) -> None:
    """Tell the other one that it is over."""
    context = {**_about(delegation), "other": other.name, "declined": declined, "path": PAGE}
    notify(session, "delegation_ended", told, context)


def _about(delegation: Delegation) -> dict[str, object]:
    return {"first_day": delegation.first_day, "last_day": delegation.last_day}
