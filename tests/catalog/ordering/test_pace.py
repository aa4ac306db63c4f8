"""Figures of past requests: percentiles, words that never promise less, one small table to read."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from catalog.offerings.model import OfferingVersion
from catalog.ordering.model import Pace
from catalog.ordering.pace import PaceFigures, pace_of, paces, percentile, spoken_minutes, used_most
from catalog.requests.model import Request

MINUTES = st.lists(st.integers(0, 10_000), min_size=1, max_size=200)


@given(MINUTES, st.integers(1, 100))
def test_at_least_so_many_do_not_exceed_a_percentile_and_fewer_do_not_exceed_less(values, percent):
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


@given(MINUTES, st.integers(1, 100), st.integers(1, 100))
def test_a_higher_percentile_is_never_less(values, one, other):
    low, high = sorted((one, other))
    assert percentile(values, low) <= percentile(values, high)


@given(MINUTES)
def test_half_is_the_lower_median(values):
    assert percentile(values, 50) == statistics.median_low(values)


def test_nothing_has_no_percentile():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


@given(st.integers(0, 100_000))
def test_words_never_promise_less_than_the_figure(minutes):
    count, unit = spoken_minutes(minutes).split(" ", 1)
    size = {"minutes": 1, "working hour": 60, "working hours": 60, "working day": 480, "working days": 480}[
        unit
    ]
    assert int(count) * size >= minutes
    assert (int(count) - 1) * size < max(minutes, 1) or unit == "minutes"


@pytest.mark.parametrize(
    ("half", "most", "text"),
    [
        (3, 3, "Usually within 5 minutes"),
        (340, 900, "Usually within 6 working hours; 9 of 10 within 2 working days"),
        (46, 60, "Usually within 1 working hour"),
        (480, 481, "Usually within 1 working day; 9 of 10 within 2 working days"),
    ],
)
def test_the_figures_in_words(half, most, text):
    assert PaceFigures(half, most).text == text


def fulfilled(shelves, actor, count, *, hours=2):
    numbers = [shelves.submitted(actor, word=f"w{number}") for number in range(count)]
    with shelves.db.transaction() as session:
        for number in numbers:
            submitted = session.get_one(Request, number).submitted_at
            session.execute(
                update(Request)
                .where(Request.id == number)
                .values(fulfilled_at=submitted + timedelta(hours=hours))
            )
    return numbers


def test_from_twenty_fulfilled_requests_on_the_offering_says_what_they_took(shelves, cast, actor_of, run):
    numbers = fulfilled(shelves, actor_of(cast.requester), 20)
    with shelves.db.transaction() as session:
        offering = session.get_one(OfferingVersion, shelves.version_id).offering_id
        # A day and a weekend later, one hour of which the requester was asked something.
        session.execute(
            update(Request)
            .where(Request.id.in_(numbers[:3]))
            .values(fulfilled_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC), paused_minutes=60)
        )
    run("refresh_paces")
    with shelves.db.reading() as session:
        assert pace_of(session, offering) == PaceFigures(120, 3 * 480 - 60)
        assert set(paces(session)) == {offering}
        assert used_most(session, 1, 5) == [offering]
        assert used_most(session, 2, 5) == []


def test_fewer_and_older_requests_say_nothing(shelves, cast, actor_of, run, clock):
    fulfilled(shelves, actor_of(cast.requester), 19)
    run("refresh_paces")
    with shelves.db.reading() as session:
        assert session.scalars(select(Pace.fulfilled)).all() == [19]
        assert paces(session) == {}
    clock.pass_time(days=181)
    run("refresh_paces")
    with shelves.db.reading() as session:
        assert session.scalars(select(Pace)).all() == []
