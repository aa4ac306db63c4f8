"""Stages that nobody decides: reminders, escalation and expiry in the approvers' own working time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import event, func, select

from approvals.decisions.model import Verdict
from approvals.decisions.right import NotYours
from approvals.delegation.give import Wish, give
from approvals.routing.model import StageApprover, StageState
from approvals.timing.model import StageTimer, TimerKind
from approvals.timing.watch import KEEP_TIME, keep_stage_times
from catalog.requests.events import FulfilmentStarting
from catalog.requests.model import Request
from catalog.requests.promise import pause, resume
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.model import Absence, Group, Membership, Person
from portal.jobs import Workshop, enqueue, run_due
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story
from tests.fixtures_people import StandingClock

Decide = Callable[..., None]
Sweep = Callable[[], None]


@pytest.fixture
def sweep(story: Story) -> Sweep:
    """One round of the task, as the worker runs it."""

    def run() -> None:
        with story.db.transaction() as session:
            enqueue(session, KEEP_TIME, {})
        run_due(
            Workshop(story.db, story.settings, {KEEP_TIME: keep_stage_times, "send_mail": lambda _job: None})
        )

    return run


def at(clock: StandingClock, text: str) -> None:
    """Set the clock to this moment (UTC)."""
    clock.time = datetime.fromisoformat(text).replace(tzinfo=UTC)


def entries(story: Story, tag: str) -> list[dict[str, Any]]:
    with story.db.reading() as session:
        rows = session.scalars(select(Entry.body).where(Entry.tag == tag).order_by(Entry.number))
        return [json.loads(body)["facts"] for body in rows]


def mails(story: Story, name: str) -> list[int | None]:
    with story.db.reading() as session:
        return list(
            session.scalars(select(Message.person_id).where(Message.event == name).order_by(Message.id))
        )


def timers(story: Story) -> list[tuple[TimerKind, int]]:
    with story.db.reading() as session:
        rows = session.execute(select(StageTimer.kind, StageTimer.minutes).order_by(StageTimer.minutes))
        return [(kind, minutes) for kind, minutes in rows]


@pytest.mark.on_sqlite
def test_without_a_word_a_stage_reminds_climbs_and_expires(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    """A Wednesday, 10:00 in Berlin; people work from nine to five, and the target is eight hours."""
    request_id = story.planned(MANAGER_STAGE)
    assert timers(story) == [
        (TimerKind.REMIND, 240),
        (TimerKind.REMIND, 480),
        (TimerKind.ESCALATE, 960),
        (TimerKind.EXPIRE, 14400),
    ]
    sweep()
    assert mails(story, "approval_reminder") == []
    at(clock, "2026-11-18T13:00")
    sweep()
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.manager]
    assert entries(story, "stage:reminded")[0]["people"] == [f"person:{story.cast.manager}"]
    at(clock, "2026-11-19T09:00")
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.manager] * 2
    at(clock, "2026-11-20T08:59")
    sweep()
    assert entries(story, "stage:escalated") == []
    at(clock, "2026-11-20T09:00")
    sweep()
    facts = entries(story, "stage:escalated")
    assert [entry["approvers"][0]["person"] for entry in facts] == [f"person:{story.cast.head}"]
    assert mails(story, "approval_escalated") == [story.cast.manager]
    assert mails(story, "request_escalated") == [story.cast.requester]
    assert mails(story, "approval_requested") == [story.cast.manager, story.cast.head]
    assert "Hanna Head was asked as well" in story.stages(request_id)[0].because
    assert "Hanna Head" in story.see(request_id).baton
    at(clock, "2027-01-29T08:00")
    sweep()
    request = story.see(request_id)
    assert request.state is State.REJECTED
    assert "within 30 working days" in request.outcome
    assert request.baton == ""
    assert [stage.state for stage in story.stages(request_id)] == [StageState.CLOSED]
    assert mails(story, "request_rejected") == [story.cast.requester]
    assert set(mails(story, "approval_ended")) >= {story.cast.manager, story.cast.head}
    assert len(entries(story, "stage:expired")) == 1
    assert timers(story) == []


def test_the_offering_says_when(story: Story) -> None:
    story.planned(
        {
            **MANAGER_STAGE,
            "reminders": ["30m", "1d"],
            "escalation": {"after": "2d", "do": "cancel"},
            "expires": "3d",
        }
    )
    assert timers(story) == [
        (TimerKind.REMIND, 30),
        (TimerKind.REMIND, 480),
        (TimerKind.ESCALATE, 960),
        (TimerKind.EXPIRE, 1440),
    ]


@pytest.mark.on_sqlite
def test_whoever_was_asked_by_an_escalation_decides_and_it_holds(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    stage = {**MANAGER_STAGE, "escalation": {"after": "1h", "do": "add", "to": {"group": "security"}}}
    request_id = story.planned(stage)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.security)
    clock.pass_time(hours=1)
    sweep()
    decide(request_id, story.cast.security)
    assert story.see(request_id).state is State.SCHEDULED
    with story.db.transaction() as session:
        publish(session, FulfilmentStarting(request_id))


@pytest.mark.on_sqlite
def test_a_row_slipped_in_beside_the_escalation_gives_nobody_a_right(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    """The sealed version names the group security; neither another group nor the step before its time counts."""
    stage = {**MANAGER_STAGE, "escalation": {"after": "1h", "do": "add", "to": {"group": "security"}}}
    request_id = story.planned(stage)
    number = story.stages(request_id)[0].id
    with story.db.transaction() as session:
        for person, rule in ((story.cast.owner, "group:crm-owners"), (story.cast.security, "group:security")):
            session.add(StageApprover(stage_id=number, person_id=person, relation="slipped in", rule=rule))
    for person in (story.cast.owner, story.cast.security):
        with pytest.raises(NotYours):
            decide(request_id, person)
    clock.pass_time(hours=1)
    sweep()
    with pytest.raises(NotYours):
        decide(request_id, story.cast.owner)


@pytest.mark.on_sqlite
def test_others_instead_take_the_right_of_those_who_were_asked(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    stage = {**MANAGER_STAGE, "escalation": {"after": "1h", "do": "replace", "to": {"group": "security"}}}
    request_id = story.planned(stage)
    clock.pass_time(hours=1)
    sweep()
    assert entries(story, "stage:escalated")[0]["replaced"] == [f"person:{story.cast.manager}"]
    assert story.see(request_id).baton == "Sami Security"
    with pytest.raises(NotYours):
        decide(request_id, story.cast.manager)
    decide(request_id, story.cast.security)


def test_too_few_to_replace_anybody_join_them(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    stage = {
        **OWNER_STAGE,
        "quorum": 2,
        "escalation": {"after": "1h", "do": "replace", "to": {"group": "security"}},
    }
    request_id = story.planned(stage)
    clock.pass_time(hours=1)
    sweep()
    assert entries(story, "stage:escalated")[0]["replaced"] == []
    decide(request_id, story.cast.security)
    decide(request_id, story.cast.owner)
    assert story.stages(request_id)[0].state is StageState.APPROVED


@pytest.mark.on_sqlite
def test_an_escalation_asks_nobody_whom_separation_of_duties_keeps_out(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    stage = {**OWNER_STAGE, "escalation": {"after": "1h", "do": "add", "to": {"group": "security"}}}
    request_id = story.planned(stage, requester=story.cast.security)
    clock.pass_time(hours=1)
    sweep()
    assert entries(story, "stage:escalated")[0]["approvers"] == []
    with pytest.raises(NotYours):
        decide(request_id, story.cast.security)
    assert mails(story, "approval_escalated") == [story.cast.operator], "the owners of the offering are told"


@pytest.mark.on_sqlite
def test_a_cancelling_escalation_closes_the_request_with_words(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    request_id = story.planned({**MANAGER_STAGE, "escalation": {"after": "4h", "do": "cancel"}})
    clock.pass_time(hours=4)
    sweep()
    request = story.see(request_id)
    assert request.state is State.REJECTED
    assert "within 4 working hours" in request.outcome
    assert len(entries(story, "stage:cancelled")) == 1


@pytest.mark.on_sqlite
def test_climbing_goes_on_to_the_owners_of_the_offering(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    request_id = story.planned(
        {**MANAGER_STAGE, "escalation": {"after": "1h"}}, publisher=story.cast.outsider
    )
    clock.pass_time(hours=1)
    sweep()
    clock.pass_time(hours=1)
    sweep()
    sweep()
    asked = [entry["approvers"][0]["person"] for entry in entries(story, "stage:escalated")]
    assert asked == [f"person:{story.cast.head}", f"person:{story.cast.operator}"]
    decide(request_id, story.cast.operator)


def test_an_absence_moves_what_is_due_and_whoever_is_away_is_not_reminded(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    """One of two owners is away today: the reminder goes to the other. The manager's stage waits for the manager."""
    story.planned({**OWNER_STAGE, "reminders": ["1h"]})
    story.planned({**MANAGER_STAGE, "reminders": ["1h"]})
    with story.db.transaction() as session:
        for person in (story.cast.owner, story.cast.manager):
            session.add(Absence(person_id=person, first_day=date(2026, 11, 18), last_day=date(2026, 11, 19)))
    clock.pass_time(hours=1)
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.second_owner]
    at(clock, "2026-11-20T08:59")
    sweep()
    assert len(mails(story, "approval_reminder")) == 1
    at(clock, "2026-11-20T09:00")
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.second_owner, story.cast.manager]


@pytest.mark.parametrize(
    ("begun", "due"),
    [
        # Friday 16:30 to Monday 09:30, over the end of summer time and over its beginning.
        ("2026-10-23T14:30", "2026-10-26T08:30"),
        ("2027-03-26T15:30", "2027-03-30T07:30"),
    ],
)
def test_an_hour_of_work_is_an_hour_over_a_change_of_the_clocks(
    story: Story, sweep: Sweep, clock: StandingClock, begun: str, due: str
) -> None:
    """In March 2027 Good Friday is the 26th: nobody works from then until the Tuesday after Easter Monday."""
    at(clock, begun)
    story.planned({**MANAGER_STAGE, "reminders": ["1h" if "10-23" in begun else "30m"]})
    with story.db.reading() as session:
        first = session.scalars(select(StageTimer.due_at).order_by(StageTimer.due_at)).first()
    assert first == datetime.fromisoformat(due).replace(tzinfo=UTC)
    clock.time = first
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.manager]


@pytest.mark.on_sqlite
def test_nothing_happens_while_the_requester_is_asked_and_the_time_is_added(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    request_id = story.planned({**MANAGER_STAGE, "reminders": ["2h"]})
    clock.pass_time(hours=1)
    with story.db.transaction() as session:
        pause(session, session.get_one(Request, request_id))
    clock.pass_time(hours=2)
    sweep()
    assert mails(story, "approval_reminder") == []
    with story.db.transaction() as session:
        resume(session, session.get_one(Request, request_id))
    sweep()
    assert mails(story, "approval_reminder") == []
    clock.pass_time(hours=1)
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.manager]


@pytest.mark.on_sqlite
def test_a_decided_stage_is_left_alone_and_its_rows_go(
    story: Story, sweep: Sweep, decide: Decide, clock: StandingClock
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.manager, Verdict.DENY)
    clock.pass_time(days=120)
    sweep()
    assert timers(story) == []
    assert mails(story, "approval_reminder") == []
    assert "Milo Manager denied it" in story.see(request_id).outcome


@pytest.mark.on_sqlite
def test_a_stage_whose_people_are_gone_is_planned_again_instead_of_waiting(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    request_id = story.planned(OWNER_STAGE)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        for place in session.scalars(select(Membership).where(Membership.group_id == group.id)).all():
            session.delete(place)
    clock.pass_time(hours=4)
    sweep()
    assert story.see(request_id).state is State.PREPARING


def test_a_sweep_takes_the_same_few_statements_however_much_is_open(
    story: Story, sweep: Sweep, clock: StandingClock
) -> None:
    version = story.offer(MANAGER_STAGE)
    counts = []
    for _ in range(2):
        for _ in range(3):
            story.plan(story.request(version))
        statements: list[str] = []
        listener = lambda *args, found=statements: found.append(args[2])  # noqa: E731
        event.listen(story.db.engine, "before_cursor_execute", listener)
        sweep()
        event.remove(story.db.engine, "before_cursor_execute", listener)
        counts.append(len(statements))
    with story.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(StageTimer)) == 24
    assert counts[0] == counts[1]


@pytest.mark.on_sqlite
def test_a_substitute_is_reminded_too(story: Story, sweep: Sweep, clock: StandingClock) -> None:

    story.planned(MANAGER_STAGE)
    with story.db.transaction() as session:
        name = session.get_one(Person, story.cast.security).user_name
        day = date(2026, 11, 18)
        actor = Actor(name="Milo", person_id=story.cast.manager, auth_time=clock())
        give(session, actor, Wish(name, day, day, every=True), settings=story.settings)
    clock.pass_time(hours=4)
    sweep()
    assert mails(story, "approval_reminder") == [story.cast.manager, story.cast.security]
