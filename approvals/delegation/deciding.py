"""One word for two people: a substitute and whoever they stand in for count as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

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
        _refuse_used(places[0])


def insist_on_free_place(place: RouteApprover, decisions: Sequence[Decision]) -> None:
    """Refuse a word in the place of somebody whose word is in already. Raises Conflict with the reason."""
    if place.on_behalf_of_id in counted_in(decisions):
        _refuse_used(place)


def without_used(eligible: Eligible, decisions: Sequence[Decision]) -> Eligible:
    """The places that are left: none in the stead of somebody who has decided, or for whom it was done."""
    used = counted_in(decisions)
    return {
        stage: {number: place for number, place in people.items() if place.on_behalf_of_id not in used}
        for stage, people in eligible.items()
    }


def without_both(demands: Sequence[Demand], position: int, person: RouteApprover) -> list[Demand]:
    """What is still demanded once this person, or whoever they stand in for, has met a place at `position`."""
    principal = person.on_behalf_of_id or person.person_id
    left = without(demands, position, principal)
    return [Demand(demand.quorum, demand.people - {person.person_id}) for demand in left]


def _refuse_used(place: RouteApprover) -> NoReturn:
    raise Conflict(
        _(
            "%(name)s has already decided on this request, and you would decide in their place. "
            "The two of you count as one person.",
            name=place.on_behalf_of,
        )
    )
