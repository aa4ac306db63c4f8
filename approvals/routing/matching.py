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
    seating = _Seating(demands)
    for position, demand in enumerate(demands):
        for _ in range(demand.quorum):
            if not seating.add_place(position):
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


class _Seating:
    """Places given to people, one each; adding a place may move others along an augmenting path."""

    def __init__(self, demands: Sequence[Demand]) -> None:
        self.people = [sorted(demand.people) for demand in demands]
        self.demand_of: list[int] = []
        self.place_of: dict[int, int] = {}
        self.person_at: dict[int, int] = {}

    def add_place(self, position: int) -> bool:
        """Give one more place of the demand to somebody; False when that cannot be done."""
        start = len(self.demand_of)
        self.demand_of.append(position)
        reached_from: dict[int, int] = {}
        places = [start]
        for place in places:  # grows while it is walked: breadth first
            for person in self.people[self.demand_of[place]]:
                if person in reached_from:
                    continue
                reached_from[person] = place
                if person not in self.place_of:
                    self._move_along(person, reached_from)
                    return True
                places.append(self.place_of[person])
        return False

    def _move_along(self, person: int, reached_from: dict[int, int]) -> None:
        while True:
            place = reached_from[person]
            moved = self.person_at.get(place)
            self.place_of[person], self.person_at[place] = place, person
            if moved is None:
                return
            person = moved
