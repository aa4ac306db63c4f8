"""How large a sample is, and what is drawn."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.errors import FieldError
from reports.audits.document import AttributeRule, FixedRule, PercentRule
from reports.audits.sampling import clean_nonce, draw, sample_size, seed_of

NINETY_FIVE = AttributeRule(kind="attribute", confidence="0.95", tolerable="0.05")


def test_a_number_is_drawn_or_all_where_there_are_fewer() -> None:
    rule = FixedRule(kind="fixed", size=25)
    assert [sample_size(rule, count) for count in (0, 7, 25, 10_000)] == [0, 7, 25, 25]


def test_a_share_is_rounded_up_and_kept_between_its_limits() -> None:
    rule = PercentRule(kind="percent", percent="2.5", least=5, most=60)
    assert [sample_size(rule, count) for count in (3, 100, 201, 401, 10_000)] == [3, 5, 6, 11, 60]


def test_a_statement_takes_what_the_tables_of_attribute_sampling_say() -> None:
    assert [sample_size(NINETY_FIVE, count) for count in (1, 50, 100, 10_000)] == [1, 31, 45, 59]


@given(count=st.integers(1, 400), tolerable=st.sampled_from(["0.01", "0.05", "0.1"]))
def test_a_statement_takes_the_smallest_sample_that_carries_it(count: int, tolerable: str) -> None:
    rule = AttributeRule(kind="attribute", confidence="0.9", tolerable=tolerable)
    size, deviating = sample_size(rule, count), -(-Fraction(tolerable) * count // 1)

    def missed(drawn: int) -> Fraction:
        return Fraction(comb(count - int(deviating), drawn), comb(count, drawn))

    assert missed(size) <= Fraction(1, 10) < missed(size - 1)


def test_the_lowest_ranks_are_drawn_whatever_the_order() -> None:
    seed = seed_of(bytes(32), "blue heron")
    assert seed == hashlib.sha256(bytes(32) + b"blue heron").digest()
    references = [f"SR-{number:06d}" for number in range(1, 50)]
    drawn = draw(seed, references, 5)
    assert drawn == draw(seed, reversed(references), 5) and len(set(drawn)) == 5
    ranks = {one: hashlib.sha256(seed + one.encode()).digest() for one in references}
    assert list(drawn) == sorted(references, key=ranks.__getitem__)[:5]


def test_a_word_counts_as_it_is_read_and_one_that_cannot_be_is_refused() -> None:
    assert clean_nonce("  blaue u\u0308bung ") == "blaue übung"
    for odd in ("abc", " abc ", "x" * 201, "blue\x00heron", "blue\u202eheron", "blue\u200bheron"):
        with pytest.raises(FieldError):
            clean_nonce(odd)
