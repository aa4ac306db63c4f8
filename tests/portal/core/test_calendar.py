"""Working calendars: what no change to daylight saving, no midnight and no holiday may break."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.calendar import WorkingCalendar

#: Three kinds of daylight saving: an hour in Europe, an hour in America, half an hour on Lord Howe Island.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
}
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@st.composite
def calendars(draw):
    return WorkingCalendar(
        timezone=draw(st.sampled_from(ZONES)),
        days=draw(st.frozensets(st.integers(1, 7), min_size=1)),
        start=draw(TIMES),
        end=draw(TIMES),
        days_off=draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5)),
    )


@st.composite
def moments(draw):
    """Any minute of 2026, and more often than not one near a change of the clocks."""
    change = draw(st.sampled_from([change for pair in CHANGES.values() for change in pair]))
    near = st.integers(-3 * 24 * 60, 3 * 24 * 60)
    far = st.integers(-80 * 24 * 60, 50 * 24 * 60)
    return change + timedelta(minutes=draw(st.one_of(near, near, far)))


@given(calendars(), moments(), st.integers(0, 5_000))
def test_between_a_moment_and_where_adding_leads_lie_exactly_the_minutes(calendar, moment, minutes):
    end = calendar.add(moment, minutes)
    assert end >= moment
    assert calendar.minutes_between(moment, end) == minutes


# No minutes lead to the next working instant, so after a last minute of work nothing is not the same as nothing.
@given(calendars(), moments(), st.integers(0, 2_000), st.integers(1, 2_000))
def test_adding_twice_is_adding_once(calendar, moment, first, second):
    assert calendar.add(calendar.add(moment, first), second) == calendar.add(moment, first + second)


@given(calendars(), moments())
def test_adding_nothing_gives_the_first_working_instant_from_there_on(calendar, moment):
    begin = calendar.add(moment, 0)
    assert calendar.is_working(begin)
    assert calendar.add(begin, 0) == begin
    assert calendar.minutes_between(moment, begin) == 0


@given(calendars(), moments(), st.integers(0, 3_000), st.integers(0, 3_000))
def test_time_is_additive_and_never_negative(calendar, moment, first, second):
    middle = moment + timedelta(minutes=first)
    last = middle + timedelta(minutes=second)
    whole = calendar.minutes_between(moment, last)
    assert whole == calendar.minutes_between(moment, middle) + calendar.minutes_between(middle, last)
    assert 0 <= whole <= first + second
    assert calendar.minutes_between(last, moment) == 0 or last == moment


@given(calendars(), moments(), st.integers(1, 2_000))
def test_the_last_minute_of_what_was_added_is_one_of_work(calendar, moment, minutes):
    end = calendar.add(moment, minutes)
    assert calendar.is_working(end - timedelta(seconds=1))


@given(calendars(), moments())
def test_whether_people_work_is_what_their_local_clock_says(calendar, moment):
    local = moment.astimezone(ZoneInfo(calendar.timezone))
    here, before = local.date(), local.date() - timedelta(days=1)

    def open_on(day):
        return day.isoweekday() in calendar.days and day not in calendar.days_off

    if calendar.start < calendar.end:
        expected = open_on(here) and calendar.start <= local.time() < calendar.end
    else:  # over midnight; equal ends are a whole day
        expected = (open_on(here) and local.time() >= calendar.start) or (
            open_on(before) and local.time() < calendar.end
        )
    near_a_change = any(abs(moment - change) <= timedelta(hours=26) for change in CHANGES[calendar.timezone])
    assert near_a_change or calendar.is_working(moment) == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("which", [0, 1])
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_is(zone, which):
    """Spring loses an hour (half of one on Lord Howe), autumn gains it; nights elsewhere have eight."""
    every_night = WorkingCalendar(timezone=zone, days=frozenset(range(1, 8)), start=time(22), end=time(6))
    change = CHANGES[zone][which]
    evening = datetime.combine(
        (change.astimezone(ZoneInfo(zone)) - timedelta(hours=12)).date(), time(22), tzinfo=ZoneInfo(zone)
    )
    # The first change of the year is spring's in the north and autumn's in the south.
    shift = 30 if zone == "Australia/Lord_Howe" else -60
    factor = 1 if which == 0 else -1
    night = every_night.minutes_between(evening, evening.astimezone(UTC) + timedelta(hours=14))
    assert night == 8 * 60 + factor * shift
    usual = evening - timedelta(days=7)
    assert every_night.minutes_between(usual, usual.astimezone(UTC) + timedelta(hours=14)) == 8 * 60


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    friday_night = WorkingCalendar(timezone="Europe/Berlin", days=frozenset({5}), start=time(22), end=time(4))
    saturday = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)  # 03:00 in Berlin
    assert friday_night.is_working(saturday)
    assert not friday_night.is_working(saturday - timedelta(days=1))
    assert friday_night.add(saturday, 61) == datetime(2026, 11, 27, 21, 1, tzinfo=UTC)


def test_own_days_off_and_public_holidays_do_not_count():
    berlin = WorkingCalendar(
        timezone="Europe/Berlin", country="DE-BE", days_off=frozenset({date(2026, 12, 24)})
    )
    before = datetime(2026, 12, 23, 15, 0, tzinfo=UTC)  # 16:00
    # Christmas Eve is their own, the 25th public, then comes a weekend.
    assert berlin.add(before, 120) == datetime(2026, 12, 28, 9, 0, tzinfo=UTC)


def test_a_calendar_without_work_is_an_error_and_not_an_endless_search():
    never = WorkingCalendar(days=frozenset())
    with pytest.raises(ValueError, match="no working hours"):
        never.add(datetime(2026, 1, 1, tzinfo=UTC), 1)
