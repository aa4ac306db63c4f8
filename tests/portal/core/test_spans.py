"""Ranges of whole numbers obey the laws of sets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.core.spans import intersect, merge, size, subtract

_PAIRS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=8,
)


def _numbers(spans) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


@given(_PAIRS)
def test_merging_keeps_the_numbers_and_leaves_ranges_that_neither_overlap_nor_touch(pairs):
    merged = merge(pairs)
    assert _numbers(merged) == _numbers(pairs)
    assert size(merged) == len(_numbers(pairs))
    assert all(right[0] > left[1] + 1 for left, right in pairwise(merged))
    assert merge(reversed(merged)) == merged


@given(_PAIRS, _PAIRS)
def test_intersecting_and_subtracting_are_those_of_sets(left, right):
    ours, theirs = merge(left), merge(right)
    assert _numbers(intersect(ours, theirs)) == _numbers(left) & _numbers(right)
    assert _numbers(subtract(ours, theirs)) == _numbers(left) - _numbers(right)
    assert merge((*intersect(ours, theirs), *subtract(ours, theirs))) == ours


def test_an_empty_set_changes_nothing():
    assert merge([]) == ()
    assert subtract(((1, 5),), ()) == ((1, 5),)
    assert intersect(((1, 5),), ()) == ()
    assert size(()) == 0
