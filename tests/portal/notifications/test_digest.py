"""One mail a day: at eight on the reader's working days, with what is urgent sent at once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.identity.model import Absence, Person
from portal.jobs import Workshop, enqueue, run_due
from portal.jobs.model import Task
from portal.notifications import notify
from portal.notifications.digest import SEND_DIGESTS, send_digests
from portal.notifications.model import Message
from portal.notifications.rendering import PORTAL
from tests.fixtures_notifications import MESSAGES

LATER = {**MESSAGES["approval_requested"], "due_at": datetime(2026, 12, 18, 16, 0, tzinfo=UTC)}


@pytest.fixture
def daily(db, cast):
    """The owner prefers one mail a day."""
    with db.transaction() as session:
        session.get_one(Person, cast.owner).daily_mail = True
    return cast.owner


@pytest.fixture
def write(db):
    """Writes a mail to a person."""

    def made(person, event="request_approved", **options):
        context = options.pop("context", MESSAGES[event])
        with db.transaction() as session:
            return notify(session, event, session.get_one(Person, person), context, **options)

    return made


@pytest.fixture
def sweep(db, settings):
    """One round of the task."""

    def run():
        with db.transaction() as session:
            enqueue(session, SEND_DIGESTS, {})
        run_due(Workshop(db, settings, {SEND_DIGESTS: send_digests, "send_mail": lambda _job: None}))

    return run


def written(db, event="daily_digest"):
    with db.reading() as session:
        return session.scalars(select(Message).where(Message.event == event).order_by(Message.id)).all()


def test_what_is_not_urgent_waits_for_eight_in_the_morning(db, clock, daily, write, sweep):
    for event, context in (
        ("approval_requested", LATER),
        ("request_fulfilled", MESSAGES["request_fulfilled"]),
    ):
        held = write(daily, event, context={**context, "reference": f"SR-00000{len(event) % 7}"})
        assert held.held_until == datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
    sweep()
    clock.time = datetime(2026, 11, 19, 6, 59, tzinfo=UTC)
    sweep()
    assert written(db) == []
    clock.pass_time(minutes=1)
    sweep()
    sweep()
    (digest,) = written(db)
    assert digest.person_id == daily
    assert "Your mail of the day: 2 requests" in digest.subject_line
    assert digest.text.index("Waits for your decision") < digest.text.index("What else happened")
    assert f"{PORTAL}/a/Zm9vYmFyYmF6" in digest.text
    assert 'href="' + PORTAL + "/requests/" in digest.html
    with db.reading() as session:
        mails = [
            task.payload["message"] for task in session.scalars(select(Task)) if task.kind == "send_mail"
        ]
        assert mails == [digest.id], "the others are lines of it and are not sent by themselves"
        assert session.scalars(select(Message.id).where(Message.sent_at.is_(None))).all() == [digest.id]


def test_urgent_ones_and_those_that_are_due_sooner_are_sent_at_once(db, daily, write):
    assert write(daily, urgent=True).held_until is None
    soon = {**LATER, "due_at": datetime(2026, 11, 19, 7, 0, tzinfo=UTC)}
    assert write(daily, "approval_requested", context=soon).held_until is None
    assert write(daily, "operator_attention").held_until is None
    with db.reading() as session:
        assert len(session.scalars(select(Task)).all()) == 3


@pytest.mark.on_sqlite
def test_nobody_waits_who_did_not_choose_to(cast, write):
    assert write(cast.manager).held_until is None


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-20T09:00", "2026-11-23T07:00"),  # Friday to Monday
        ("2026-10-23T09:00", "2026-10-26T07:00"),  # summer time has ended meanwhile
        ("2027-03-26T09:00", "2027-03-30T06:00"),  # Easter, and summer time has begun
        ("2026-12-24T20:00", "2026-12-28T07:00"),  # both days of Christmas and the weekend
    ],
)
def test_it_is_eight_on_their_own_working_days(clock, daily, write, now, due):
    clock.time = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert write(daily).held_until == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.on_sqlite
def test_absences_are_no_working_days(db, daily, write):
    with db.transaction() as session:
        session.add(Absence(person_id=daily, first_day=date(2026, 11, 19), last_day=date(2026, 11, 23)))
    assert write(daily).held_until == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


@pytest.mark.on_sqlite
def test_a_single_message_is_sent_as_it_is(db, clock, daily, write, sweep):
    message = write(daily)
    clock.pass_time(days=1)
    sweep()
    assert written(db) == []
    with db.reading() as session:
        mails = [
            task.payload["message"] for task in session.scalars(select(Task)) if task.kind == "send_mail"
        ]
    assert mails == [message.id]


@pytest.mark.on_sqlite
def test_what_asked_for_a_decision_is_left_out_once_nothing_is_left_to_decide(db, clock, daily, write, sweep):
    write(daily, "approval_requested", context=LATER)
    write(daily, "approval_ended")
    write(daily, "request_fulfilled", context={**MESSAGES["request_fulfilled"], "reference": "SR-000007"})
    clock.pass_time(days=1)
    sweep()
    (digest,) = written(db)
    assert "Your decision:" not in digest.text
    assert "No decision needed any more" in digest.text
    assert "Waits for your decision" not in digest.text
