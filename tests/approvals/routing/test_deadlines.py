"""Deadlines of stages on the working calendars of the people who decide."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from approvals.routing.deadlines import calendars_of, due_at, promised_by
from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import resolve
from catalog.offerings.route import CalendarRule
from catalog.requests.model import Request
from portal.core.calendar import WorkingCalendar
from portal.core.database import Database
from portal.identity.model import Person
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story
from tests.fixtures_people import Cast

BERLIN = WorkingCalendar(timezone="Europe/Berlin", country="DE")
NEW_YORK = WorkingCalendar(timezone="America/New_York", country="US")
#: A Wednesday, 17:00 in Berlin, 11:00 in New York.
EVENING = datetime(2026, 11, 18, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendars", "quorum", "expected"),
    [
        ([BERLIN], 1, datetime(2026, 11, 19, 10, 0, tzinfo=UTC)),
        ([NEW_YORK], 1, datetime(2026, 11, 18, 18, 0, tzinfo=UTC)),
        ([BERLIN, NEW_YORK], 1, datetime(2026, 11, 18, 18, 0, tzinfo=UTC)),
        ([BERLIN, NEW_YORK], 2, datetime(2026, 11, 19, 10, 0, tzinfo=UTC)),
        ([BERLIN, BERLIN, NEW_YORK], 2, datetime(2026, 11, 19, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_stage_is_due_when_as_many_as_must_agree_had_their_working_time(
    calendars: list[WorkingCalendar], quorum: int, expected: datetime
) -> None:
    assert due_at(calendars, start=EVENING, minutes=120, quorum=quorum) == expected


def test_a_public_holiday_of_the_units_country_does_not_count() -> None:
    thanksgiving_eve = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)  # 16:00 in New York
    due = due_at([NEW_YORK], start=thanksgiving_eve, minutes=120, quorum=1)
    assert due == datetime(2026, 11, 27, 15, 0, tzinfo=UTC)


def test_the_zone_is_the_persons_own_and_the_holidays_are_their_units(db: Database, cast: Cast) -> None:
    with db.transaction() as session:
        session.get_one(Person, cast.outsider).timezone = "Europe/London"
    with db.reading() as session:
        found = calendars_of(session, [cast.manager, cast.outsider], CalendarRule())
    assert (found[cast.manager].timezone, found[cast.manager].country) == ("Europe/Berlin", "DE")
    assert (found[cast.outsider].timezone, found[cast.outsider].country) == ("Europe/London", "PT")


@pytest.mark.on_sqlite
def test_an_offering_may_name_its_own_hours(db: Database, cast: Cast) -> None:
    rule = CalendarRule(timezone="UTC", country="", days=("sat", "sun"), hours="22:00-06:00")
    with db.reading() as session:
        calendar = calendars_of(session, [cast.manager], rule)[cast.manager]
    assert calendar.is_working(datetime(2026, 11, 21, 23, 0, tzinfo=UTC))
    assert not calendar.is_working(datetime(2026, 11, 18, 23, 0, tzinfo=UTC))


@pytest.mark.on_sqlite
def test_the_promise_is_when_the_last_stage_is_due(story: Story) -> None:
    request_id = story.request(story.offer(MANAGER_STAGE, OWNER_STAGE))
    with story.db.reading() as session:
        stages = resolve(session, proposal_of(session, session.get_one(Request, request_id)))
        assert promised_by(session, stages, EVENING) == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
        assert promised_by(session, (), EVENING) == EVENING
