"""The promise: shown, paused, kept to the next change window, and marked once when it has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from catalog.offerings.language import OfferingDocument
from catalog.requests.model import Request
from catalog.requests.promise import pause, promised, resume
from catalog.requests.states import State
from catalog.requests.working_hours import calendars_of
from portal.audit.model import Entry
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Absence, Person, Unit
from portal.notifications.model import Message
from tests.fixtures_requests import OFFERING, _json

BERLIN = WorkingCalendar(timezone="Europe/Berlin")
#: A Wednesday, 10:00 in Berlin.
BEGUN = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def document(**changes):
    return OfferingDocument.model_validate_json(_json({**OFFERING, **changes}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, datetime(2026, 11, 19, 9, 15, tzinfo=UTC)),
        (
            {"window": {"timezone": "Europe/Berlin", "times": ["sat 22:00-04:00"]}},
            datetime(2026, 11, 21, 21, 15, tzinfo=UTC),
        ),
        (
            {"window": {"timezone": "Europe/Berlin", "times": ["thu 06:00-12:00"]}},
            datetime(2026, 11, 19, 9, 15, tzinfo=UTC),
        ),
    ],
)
def test_it_waits_for_the_next_change_window(changes, expected):
    due = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    assert promised(due, document(**changes), None, begun=BEGUN, calendar=BERLIN) == expected


def test_where_people_carry_it_out_the_offerings_own_target_counts():
    by_hand = {
        "step": "first",
        "name": "By hand",
        "connector": "manual",
        "action": "carry_out",
    }
    late = promised(BEGUN, document(fulfilment=[by_hand]), None, begun=BEGUN, calendar=BERLIN)
    assert late == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_absences_and_days_off_of_the_approver_move_it(web, cast, shelves):
    page = web.browser(cast.requester).get("/catalogue/words-on-shelves")
    assert "Thursday 19 November, 10:15 your time" in page
    with shelves.db.transaction() as session:
        session.add(
            Absence(person_id=cast.manager, first_day=date(2026, 11, 18), last_day=date(2026, 11, 20))
        )
        session.get_one(Unit, 1).settings = {"days_off": ["2026-11-23"]}
    page = web.browser(cast.requester).get("/catalogue/words-on-shelves")
    assert "Tuesday 24 November, 17:15 your time" in page


@pytest.mark.on_sqlite
def test_the_units_own_hours_count_where_the_offering_leaves_them_open(shelves, cast):
    with shelves.db.transaction() as session:
        session.get_one(Unit, 1).settings = {"days": [1, 2, 3, 4, 7], "hours": "08:00-12:00"}
    usual, own = document().calendar, document(calendar={"hours": "10:00-11:00"}).calendar
    with shelves.db.reading() as session:
        by_unit = calendars_of(session, [cast.manager], usual)[cast.manager]
        by_offering = calendars_of(session, [cast.manager], own)[cast.manager]
    assert by_unit.is_working(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    assert not by_unit.is_working(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    assert by_offering.is_working(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    assert not by_offering.is_working(datetime(2026, 11, 22, 9, 30, tzinfo=UTC))


@pytest.mark.on_sqlite
def test_whoever_is_away_for_years_is_last_and_no_error(web, cast, shelves):
    with shelves.db.transaction() as session:
        session.add(Absence(person_id=cast.manager, first_day=date(2026, 11, 1), last_day=date(2028, 10, 1)))
    assert "2027" in web.browser(cast.requester).get("/catalogue/words-on-shelves")


@pytest.mark.on_sqlite
def test_review_form_and_request_show_it_in_the_readers_own_time(web, cast, shelves):
    with shelves.db.transaction() as session:
        session.get_one(Person, cast.requester).timezone = "America/New_York"
        session.add(
            Absence(person_id=cast.manager, first_day=date(2026, 11, 18), last_day=date(2026, 11, 18))
        )
    browser = web.browser(cast.requester)
    form = browser.get("/catalogue/words-on-shelves/request")
    assert "Thursday 19 November, 11:15 your time" in form
    token = form.split('name="_draft" value="')[1].split('"')[0]
    review = browser.post(
        "/catalogue/words-on-shelves/request", {"_draft": token, "word": "hello", "reason": "To be read."}
    )
    assert "Thursday 19 November, 11:15 your time" in review
    assert "Milo Manager until 18 November" in review
    browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id})
    shelves.work()
    assert "Thursday 19 November, 11:15 your time" in browser.get("/requests/SR-000001")


def waiting(shelves, actor, promised_by):
    number = shelves.prepared(actor)
    with shelves.db.transaction() as session:
        session.execute(update(Request).where(Request.id == number).values(promised_by=promised_by))
    return number


def test_the_clock_stands_still_while_the_requester_is_asked(shelves, cast, actor_of, clock):
    number = waiting(shelves, actor_of(cast.requester), datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    with shelves.db.transaction() as session:
        pause(session, session.get_one(Request, number))
    clock.pass_time(hours=3)
    with shelves.db.transaction() as session:
        pause(session, session.get_one(Request, number))
    clock.pass_time(days=1)
    with shelves.db.transaction() as session:
        resume(session, session.get_one(Request, number))
        resume(session, session.get_one(Request, number))
    request = shelves.request(number)
    # From Wednesday 10:00 to Thursday 13:00 are eleven working hours; from Thursday 10:00 on they end on Friday.
    assert request.paused_minutes == 11 * 60
    assert request.promised_by == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert request.paused_since is None


def test_a_promise_that_passed_is_marked_recorded_and_told_once(web, shelves, cast, actor_of, clock, run):
    number = waiting(shelves, actor_of(cast.requester), datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    run("mark_missed_promises")
    assert shelves.request(number).promise_missed_at is None
    clock.pass_time(days=2)
    for _ in range(2):
        run("mark_missed_promises")
    assert shelves.request(number).promise_missed_at == clock()
    told = [person for event, person in shelves.mails() if event == "promise_missed"]
    # The offering's owners; Lena has left.
    assert sorted(told) == sorted([cast.owner, cast.second_owner])
    assert shelves.tags(number).count("request:promise-missed") == 1
    with shelves.db.reading() as session:
        mail = session.scalars(select(Message).where(Message.event == "promise_missed")).first()
        assert session.scalars(select(Entry.tag).where(Entry.tag == "request:promise-missed")).all()
    assert "Milo Manager" in mail.text or "Countersign" in mail.text
    page = web.browser(cast.requester).get("/requests/SR-000001")
    assert "Promise missed" in page
    assert "The promised date passed; the owners of the service were told" in page


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.FULFILLED},
        {"state": State.WITHDRAWN},
        {"paused_since": BEGUN},
        {"promised_by": None},
        {"promise_missed_at": BEGUN},
    ],
    ids=str,
)
def test_what_is_over_or_stands_still_misses_nothing(shelves, cast, actor_of, clock, run, changes):
    number = waiting(shelves, actor_of(cast.requester), datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    with shelves.db.transaction() as session:
        session.execute(update(Request).where(Request.id == number).values(**changes))
    clock.pass_time(days=2)
    run("mark_missed_promises")
    assert [event for event, _ in shelves.mails() if event == "promise_missed"] == []
    assert "request:promise-missed" not in shelves.tags(number)
