"""Change windows: the next one, over midnight and over changes to daylight saving, in three zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.policy import ChangeWindow
from catalog.offerings.windows import is_open, next_opening

START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def window(*times, zone="Europe/Berlin"):
    return ChangeWindow(timezone=zone, times=times)


@pytest.mark.parametrize(
    ("times", "moment", "opens"),
    [
        (("sat 22:00-04:00",), "2026-11-18T09:00:00+00:00", "2026-11-21T21:00:00+00:00"),
        (("sat 22:00-04:00",), "2026-11-22T02:59:00+00:00", "2026-11-22T02:59:00+00:00"),
        (("sat 22:00-04:00",), "2026-11-22T03:00:00+00:00", "2026-11-28T21:00:00+00:00"),
        (("tue 20:00-23:00", "thu 20:00-23:00"), "2026-11-18T09:00:00+00:00", "2026-11-19T19:00:00+00:00"),
        # The hour from two to three does not exist on 28 March 2027 in Berlin: half of the window is left.
        (("sun 02:30-04:00",), "2027-03-27T12:00:00+00:00", "2027-03-28T01:30:00+00:00"),
        # A whole day.
        (("mon 00:00-00:00",), "2026-11-22T12:00:00+00:00", "2026-11-22T23:00:00+00:00"),
    ],
)
def test_the_next_window_opens_when_it_says(times, moment, opens):
    assert next_opening(window(*times), datetime.fromisoformat(moment)) == datetime.fromisoformat(opens)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(["mon 09:00-17:00", "sat 22:00-04:00", "sun 01:00-05:00", "wed 00:00-00:00"]),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
)
def test_an_opening_is_open_comes_within_eight_days_and_nothing_is_open_before_it(zone, times, moment):
    opened = window(times, zone=zone)
    opens = next_opening(opened, moment)
    assert moment <= opens <= moment + timedelta(days=8)
    assert is_open(opened, opens)
    assert next_opening(opened, opens) == opens
    if opens > moment:
        assert not is_open(opened, moment)
        assert not is_open(opened, opens - timedelta(minutes=1))
        local = opens.astimezone(ZoneInfo(zone))
        assert (local.hour, local.minute) == (int(times[4:6]), int(times[7:9]))
