"""Whether what a substitute decided still holds when the request is carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.delegation.in_force import stands_in
from catalog.requests.model import Request
from catalog.requests.route import RouteApprover
from portal.identity.model import Person


def backed(session: Session, request: Request, decisions: Sequence[Decision]) -> frozenset[int]:
    """The numbers of those in another's place that a delegation allowed when they were made, by somebody still active.

    No statement where nobody decided in another's place.
    """
    numbers = [decision.id for decision in decisions if decision.on_behalf_of_id is not None]
    if not numbers:
        return frozenset()
    statement = (
        select(Decision.id)
        .join(Person, Person.id == Decision.person_id)
        .where(
            Decision.id.in_(numbers),
            Person.active,
            stands_in(
                Decision.on_behalf_of_id, request.offering_version_id, Decision.person_id, Decision.decided_at
            ),
        )
    )
    return frozenset(session.scalars(statement))


def still_holds(decision: Decision, eligible: Mapping[int, RouteApprover], backed: frozenset[int]) -> bool:
    """Whether whoever decided, or in whose place it was done, might still decide in this stage.

    A substitute's word counts for as long as the delegator has the right and the substitute an account: that the
    delegated days are over by then does not undo what was decided in them.
    """
    principal = eligible.get(decision.on_behalf_of_id or decision.person_id)
    if principal is None or principal.on_behalf_of_id is not None:
        return False
    return decision.on_behalf_of_id is None or decision.id in backed
