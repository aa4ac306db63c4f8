"""The next instant in every window and outside every freeze, in three zones and over changes to daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.changes.openings import Freeze, Window, next_common_opening
from catalog.offerings.windows import is_open

START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
HOURS = (
    ("mon 09:00-17:00", "wed 09:00-17:00"),
    ("tue 20:00-23:00", "sat 22:00-04:00"),
    ("sun 01:30-03:30", "thu 00:00-00:00"),
    ("last sun 00:00-06:00", "2nd sat 12:00-12:30"),
)


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def window(*times, zone="Europe/Berlin"):
    return Window("Evenings", zone, times)


@pytest.mark.parametrize(
    ("scopes", "freezes", "moment", "opens", "until"),
    [
        # Wednesday: the next evening is Thursday's.
        ([["tue 20:00-23:00", "thu 20:00-23:00"]], [], "2026-11-18T09:00", "2026-11-19T19:00", "2026-11-19T22:00"),
        # Of two scopes both must be open.
        ([["thu 20:00-23:00"], ["thu 22:00-02:00"]], [], "2026-11-18T09:00", "2026-11-19T21:00", "2026-11-19T22:00"),
        # Inside of it: now, until a freeze begins.
        (
            [["thu 20:00-23:00"]],
            [("2026-11-19T20:30", "2026-11-20T00:00")],
            "2026-11-19T19:30",
            "2026-11-19T19:30",
            "2026-11-19T20:30",
        ),
        # A freeze over the window: the week after.
        (
            [["thu 20:00-23:00"]],
            [("2026-11-19T00:00", "2026-11-20T00:00")],
            "2026-11-18T09:00",
            "2026-11-26T19:00",
            "2026-11-26T22:00",
        ),
        # Freezes that touch are one; without windows it goes on when they end.
        (
            [],
            [("2026-11-18T08:00", "2026-11-18T12:00"), ("2026-11-18T12:00", "2026-11-18T14:00")],
            "2026-11-18T09:00",
            "2026-11-18T14:00",
            None,
        ),
        # The last Sunday of March 2027, when two o'clock becomes three in Berlin: half of the window is left.
        ([["last sun 02:30-04:00"]], [], "2027-03-10T00:00", "2027-03-28T01:30", "2027-03-28T02:00"),
        # The fourth Saturday comes once a month.
        ([["4th sat 08:00-09:00"]], [], "2026-11-29T00:00", "2026-12-26T07:00", "2026-12-26T08:00"),
    ],
)  # fmt: skip
def test_the_next_opening_lies_in_every_window_and_in_no_freeze(scopes, freezes, moment, opens, until):
    found = next_common_opening(
        [[window(*times)] for times in scopes],
        [Freeze("Year-end", at(begins), at(ends)) for begins, ends in freezes],
        at(moment),
    )
    assert found.at == at(opens)
    assert found.until == (at(until) if until else None)
    assert len(found.windows) == len(scopes)


def test_it_says_for_which_freeze_it_waits_and_names_none_that_only_lies_between():
    evening = [[window("thu 20:00-23:00")]]
    over = Freeze("Over the window", at("2026-11-19T00:00"), at("2026-11-20T00:00"))
    between = Freeze("In between", at("2026-11-18T10:00"), at("2026-11-18T12:00"))
    assert next_common_opening(evening, [over], at("2026-11-18T09:00")).freezes == (over,)
    assert next_common_opening(evening, [between], at("2026-11-18T09:00")).freezes == ()


def test_windows_that_never_meet_give_no_moment():
    never = next_common_opening(
        [[window("mon 09:00-10:00")], [window("tue 09:00-10:00")]], [], at("2026-11-18T09:00")
    )
    assert never.at is None


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(HOURS), st.sampled_from(ZONES)), min_size=1, max_size=2),
        max_size=2,
    ),
    st.lists(st.tuples(st.integers(0, 60 * 24 * 20), st.integers(1, 60 * 24 * 10)), max_size=3),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
)
def test_what_opens_is_open_and_nothing_before_it_was(scopes, freezes, moment):
    windows = [[window(*times, zone=zone) for times, zone in scope] for scope in scopes]
    closed = [
        Freeze(
            "Freeze",
            begins := moment + timedelta(minutes=start - 60 * 24),
            begins + timedelta(minutes=length),
        )
        for start, length in freezes
    ]

    def may(instant):
        return not any(one.begins <= instant < one.ends for one in closed) and all(
            any(is_open(one, instant) for one in scope) for scope in windows
        )

    found = next_common_opening(windows, closed, moment)
    if found.at is None:
        assert not may(moment)
        return
    assert moment <= found.at
    assert may(found.at)
    assert len(found.windows) >= len(scopes)
    if found.at > moment:
        assert not may(found.at - timedelta(seconds=1))
        # Nothing was open on the way: looked at wherever something could have begun.
        step = (found.at - moment) / 25
        assert not any(may(moment + step * number) for number in range(25))
    if found.until is not None:
        assert may(found.until - timedelta(seconds=1))
        assert not may(found.until)
