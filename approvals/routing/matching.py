"""Matching: whether distinct people can fill every quorum of a route.

One person counts once in a request, over all its stages. A route is only possible when its quorums can be filled
by different people: a matching between places and people, found by augmenting paths (König's theorem; routes
are small).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """So many of these people must agree."""

    quorum: int
    people: frozenset[int]


def first_unmet(demands: Sequence[Demand]) -> int | None:
    """The position of the first demand that distinct people cannot meet beside those before it; None if all can."""
    place_of: dict[int, int] = {}
    places: list[int] = []
    for position, demand in enumerate(demands):
        for _ in range(demand.quorum):
            places.append(position)
            if not _seat(len(places) - 1, places, demands, place_of, set()):
                return position
    return None


def people_who_fit(demands: Sequence[Demand], position: int) -> frozenset[int]:
    """Those of one demand's people who may meet it and still leave every other demand possible."""
    demand = demands[position]
    seen = Counter(person for other in demands for person in other.people)
    return frozenset(
        person
        for person in demand.people
        # Whoever appears once can take any place of theirs: the one who sat there only becomes free.
        if seen[person] == 1 or first_unmet(without(demands, position, person)) is None
    )


def without(demands: Sequence[Demand], position: int, person: int) -> list[Demand]:
    """What is still demanded once the person has met one place of the demand at `position`."""
    return [
        Demand(demand.quorum - (index == position), demand.people - {person})
        for index, demand in enumerate(demands)
    ]


def _seat(
    place: int, places: Sequence[int], demands: Sequence[Demand], place_of: dict[int, int], tried: set[int]
) -> bool:
    for person in sorted(demands[places[place]].people - tried):
        tried.add(person)
        if person not in place_of or _seat(place_of[person], places, demands, place_of, tried):
            place_of[person] = place
            return True
    return False
