"""One word for two people: a substitute and whoever they stand in for count as one."""

from __future__ import annotations

from collections.abc import Sequence

from approvals.decisions.model import Decision
from approvals.delegation.substitutes import Eligible, counted_in
from approvals.routing.matching import Demand, without
from catalog.requests.route import RouteApprover
from portal.core.errors import Conflict
from portal.core.language import _


def insist_on_one_word(person_id: int, decisions: Sequence[Decision], eligible: Eligible) -> None:
    """Refuse a second word of one person, or of two who count as one. Raises Conflict with the reason."""
    if any(decision.person_id == person_id for decision in decisions):
        raise Conflict(_("You have already decided on this request. One person counts once."))
    if any(decision.on_behalf_of_id == person_id for decision in decisions):
        raise Conflict(
            _("Your substitute has already decided on this request. The two of you count as one person.")
        )
    places = [people[person_id] for people in eligible.values() if person_id in people]
    used = counted_in(decisions)
    if places and all(place.on_behalf_of_id in used for place in places):
        raise Conflict(
            _(
                "%(name)s has already decided on this request, and you would decide in their place. "
                "The two of you count as one person.",
                name=places[0].on_behalf_of,
            )
        )


def without_both(demands: Sequence[Demand], position: int, person: RouteApprover) -> list[Demand]:
    """What is still demanded once this person, or whoever they stand in for, has met a place at `position`."""
    principal = person.on_behalf_of_id or person.person_id
    left = without(demands, position, principal)
    return [Demand(demand.quorum, demand.people - {person.person_id}) for demand in left]
