"""One person counts once: distinct people must be able to fill every quorum."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.routing.matching import Demand, first_unmet, people_who_fit, without

ROUTES = st.lists(
    st.builds(
        Demand,
        quorum=st.integers(1, 2),
        people=st.frozensets(st.integers(1, 4), max_size=4),
    ),
    max_size=3,
)


def by_trying_everything(demands: list[Demand]) -> bool:
    """Whether some choice of distinct people fills every place; slow and plainly right."""
    places = [demand for demand in demands for _ in range(demand.quorum)]
    return any(
        len(set(choice)) == len(choice) for choice in product(*(sorted(place.people) for place in places))
    )


@given(ROUTES)
def test_a_route_is_possible_exactly_when_some_choice_of_distinct_people_fills_it(
    demands: list[Demand],
) -> None:
    assert (first_unmet(demands) is None) == by_trying_everything(demands)


@given(ROUTES)
def test_the_first_unmet_stage_is_the_first_that_makes_the_route_impossible(demands: list[Demand]) -> None:
    position = first_unmet(demands)
    for length in range(len(demands) + 1):
        assert by_trying_everything(demands[:length]) == (position is None or length <= position)


@given(ROUTES)
def test_whoever_fits_a_stage_leaves_all_others_possible_and_nobody_else_does(demands: list[Demand]) -> None:
    if first_unmet(demands) is not None:
        return
    for position, demand in enumerate(demands):
        fit = people_who_fit(demands, position)
        assert len(fit) >= demand.quorum
        for person in demand.people:
            assert (person in fit) == by_trying_everything(without(demands, position, person))


@pytest.mark.parametrize(
    ("demands", "unmet"),
    [
        ([Demand(1, frozenset({1})), Demand(1, frozenset({1, 2}))], None),
        ([Demand(1, frozenset({1})), Demand(1, frozenset({1}))], 1),
        ([Demand(2, frozenset({1, 2})), Demand(1, frozenset({2, 3})), Demand(1, frozenset({3}))], 2),
        ([Demand(1, frozenset())], 0),
        ([], None),
    ],
)
def test_a_manager_who_also_owns_the_resource_is_fine_while_another_owner_exists(
    demands: list[Demand], unmet: int | None
) -> None:
    assert first_unmet(demands) == unmet


def test_a_long_route_over_the_same_people_is_answered_quickly() -> None:
    everybody = frozenset(range(400))
    assert first_unmet([Demand(40, everybody) for _ in range(10)]) is None
    assert first_unmet([Demand(41, everybody) for _ in range(10)]) == 9
