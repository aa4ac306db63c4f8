"""The state machine: what the table says happens, and nothing else does."""

from __future__ import annotations

from itertools import product

import pytest

from catalog.requests.states import CLOSED, TRANSITIONS, Move, State, after
from portal.core.errors import Conflict

ILLEGAL = [pair for pair in product(State, Move) if pair not in TRANSITIONS]


@pytest.mark.parametrize(("pair", "state"), TRANSITIONS.items(), ids=str)
def test_a_move_of_the_table_leads_where_it_says(pair, state):
    assert after(*pair) is state


@pytest.mark.parametrize(("state", "move"), ILLEGAL, ids=str)
def test_every_other_move_is_refused_with_the_state_in_words(state, move):
    with pytest.raises(Conflict) as refusal:
        after(state, move)
    assert state.value in refusal.value.sentence


def test_the_table_and_its_rest_are_all_pairs():
    assert len(TRANSITIONS) + len(ILLEGAL) == len(State) * len(Move)


def test_nothing_leads_out_of_a_closed_state():
    assert not [pair for pair in TRANSITIONS if pair[0] in CLOSED]


def test_every_state_can_be_reached_and_every_open_one_left():
    reached = {State.PREPARING}
    for _ in State:
        reached |= {to for (start, _), to in TRANSITIONS.items() if start in reached}
    assert reached == set(State)
    assert {start for start, _ in TRANSITIONS} == set(State) - CLOSED
