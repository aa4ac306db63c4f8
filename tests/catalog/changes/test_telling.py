"""The people affected are told before and after, in time; nobody is disturbed by what is done at once."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from catalog.changes import telling
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.calendar import WorkingCalendar
from portal.notifications.model import Message
from tests.catalog.changes.conftest import EVENINGS

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def texts(calendar, event):
    with calendar.shelves.db.reading() as session:
        statement = select(Message).where(Message.event == event).order_by(Message.id)
        return list(session.scalars(statement))


@SQLITE
def test_owners_and_users_of_the_asset_are_told_before_and_after(calendar, cast):
    calendar.offer(window={**EVENINGS, "times": ["tue 20:00-23:00"]})
    request_id = calendar.shelves.approved(calendar.actor_of(cast.requester), system="APP-001")

    # The asset's owners, who have not left, and the unit that uses it.
    affected = sorted([cast.owner, cast.second_owner, cast.outsider])
    assert calendar.mails(telling.PLANNED) == affected
    mail = texts(calendar, telling.PLANNED)[0]
    assert mail.subject_line == "A change is planned: Words on shelves"
    assert "Tuesday 24 November 2026, 20:00 CET" in mail.text
    assert "It touches Customer system (APP-001)." in mail.text
    # They may not see the request itself.
    assert "SR-000001" not in mail.text
    assert "hello" not in mail.text

    # Monday is the working day before Tuesday.
    calendar.clock.time = at("2026-11-23T19:00")
    calendar.shelves.work()
    ahead = texts(calendar, telling.PLANNED)[3:]
    assert [mail.person_id for mail in ahead] == [*affected, cast.requester]
    assert ahead[0].subject_line == "A change is near: Words on shelves"
    assert "SR-000001" in ahead[-1].text

    calendar.clock.time = at("2026-11-24T19:00")
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).fulfilled_at is not None
    assert calendar.mails(telling.OVER) == affected
    assert texts(calendar, telling.OVER)[0].subject_line == "A change is done: Words on shelves"


@SQLITE
def test_what_is_done_at_once_disturbs_nobody(calendar, cast):
    calendar.shelves.fulfilled(calendar.actor_of(cast.requester), system="APP-001")
    assert calendar.mails(telling.PLANNED) == []
    assert calendar.mails(telling.OVER) == []


@SQLITE
@pytest.mark.parametrize(
    ("named", "parts"),
    [
        ("['sami.security']", ["security"]),
        ("['group:security', 'ada.auditor', 'nobody.there', '']", ["security", "auditor"]),
        ("['unit:lisbon']", ["outsider"]),
        ("answers.word == 'hello' ? ['rosa.requester'] : ['ada.auditor']", []),
    ],
)
def test_the_offering_says_who_is_affected(calendar, cast, named, parts):
    calendar.offer(affected=named)
    calendar.shelves.fulfilled(calendar.actor_of(cast.requester))
    assert calendar.mails(telling.PLANNED) == sorted(cast.ids[part] for part in parts)
    assert calendar.mails(telling.OVER) == sorted(cast.ids[part] for part in parts)


@SQLITE
def test_a_change_that_fails_or_is_called_off_is_told_too(calendar, cast):
    calendar.offer(affected="['ada.auditor']", window=EVENINGS)
    actor = calendar.actor_of(cast.requester)
    calendar.shelves.approved(actor)
    calendar.shelves.shelf.trouble["apply"] = ConnectorError("The shelf is full.", permanent=True)
    calendar.clock.time = at("2026-11-19T19:00")
    calendar.shelves.work()
    assert [mail.subject_line for mail in texts(calendar, telling.OVER)] == [
        "A change has failed: Words on shelves"
    ]

    calendar.clock.time = at("2026-11-20T09:00")
    calendar.shelves.approved(actor, word="other")
    calendar.shelves.shelf.generation = 2
    calendar.clock.time = at("2026-11-24T19:00")
    calendar.shelves.work()
    assert texts(calendar, telling.OVER)[-1].subject_line == "A change is called off: Words on shelves"


@pytest.mark.parametrize(
    ("moment", "ahead"),
    [
        ("2026-11-24T19:00", "2026-11-23T19:00"),  # Tuesday evening: Monday evening
        ("2026-11-23T08:00", "2026-11-20T08:00"),  # Monday: Friday
        ("2026-12-28T08:00", "2026-12-24T08:00"),  # over Christmas in Germany
        ("2027-03-29T18:00", "2027-03-25T19:00"),  # over Easter and a change to daylight saving, by the clock
    ],
)
def test_a_working_day_ahead_is_by_the_calendar_of_who_receives_it(moment, ahead):
    calendar = WorkingCalendar(timezone="Europe/Berlin", country="DE")
    assert telling.day_ahead(calendar, at(moment)) == at(ahead)
