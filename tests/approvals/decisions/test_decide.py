"""Deciding: each sentence of the security document that concerns the decision itself has its test here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from approvals.decisions.changes import SealChanged
from approvals.decisions.model import Decision, Verdict
from approvals.decisions.right import NotYours
from approvals.routing.model import StageApprover, StageState
from catalog.requests.events import RequestApproved, RequestRejected
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move
from catalog.requests.states import Move, State
from portal.audit.model import Entry, PersonalValue
from portal.core.errors import Conflict, FieldError
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Group, Membership, Person
from portal.identity.step_up import StepUpNeeded
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story
from tests.fixtures_people import StandingClock

Decide = Callable[..., None]
TWO_OWNERS = {**OWNER_STAGE, "quorum": 2}


def entries(story: Story, tag: str) -> list[dict[str, Any]]:
    with story.db.reading() as session:
        rows = session.scalars(select(Entry).where(Entry.tag == tag).order_by(Entry.number))
        return [json.loads(row.body) for row in rows]


def states(story: Story, request_id: int) -> list[StageState]:
    return [stage.state for stage in story.stages(request_id)]


def move_on(story: Story, request_id: int, *how: Move) -> None:
    with story.db.transaction() as session:
        for step in how:
            move(session, get_locked(session, request_id), step)


def happened(story: Story, kind: type[Any]) -> list[Any]:
    """Collects the events of a kind from now on."""
    told: list[Any] = []
    story.db.info["handlers"][kind] = (lambda _session, event: told.append(event),)
    return told


@pytest.mark.on_sqlite
def test_the_last_approval_sends_the_request_to_fulfilment(story: Story, decide: Decide) -> None:
    told = happened(story, RequestApproved)
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    assert states(story, request_id) == [StageState.OPEN, StageState.WAITING]
    assert story.see(request_id).baton == "Milo Manager"
    decide(request_id, story.cast.manager)
    assert states(story, request_id) == [StageState.APPROVED, StageState.OPEN]
    assert story.see(request_id).baton == "1 of Olga Owner or Otto Owner"
    assert story.see(request_id).state is State.PENDING
    decide(request_id, story.cast.second_owner)
    assert states(story, request_id) == [StageState.APPROVED, StageState.APPROVED]
    request = story.see(request_id)
    assert request.state is State.SCHEDULED
    assert request.decided_at is not None
    assert [event.request_id for event in told] == [request_id]


@pytest.mark.on_sqlite
def test_a_quorum_waits_for_as_many_people_as_it_says(story: Story, decide: Decide) -> None:
    request_id = story.planned(TWO_OWNERS)
    decide(request_id, story.cast.owner)
    assert states(story, request_id) == [StageState.OPEN]
    decide(request_id, story.cast.second_owner)
    assert states(story, request_id) == [StageState.APPROVED]


@pytest.mark.on_sqlite
def test_a_denial_rejects_the_request_with_its_reason_and_closes_every_other_stage(
    story: Story, decide: Decide
) -> None:
    told = happened(story, RequestRejected)
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager, Verdict.DENY, comment="The project has ended")
    request = story.see(request_id)
    assert request.state is State.REJECTED
    assert "Milo Manager" in request.outcome
    assert "The project has ended" in request.outcome
    assert request.baton == ""
    assert states(story, request_id) == [StageState.REJECTED, StageState.CLOSED]
    assert [event.request_id for event in told] == [request_id]


@pytest.mark.on_sqlite
@pytest.mark.parametrize("comment", ["", "   ", "\n\t"])
def test_a_denial_needs_a_reason(
    story: Story, decide: Decide, actor_of: Callable[..., Actor], comment: str
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(FieldError) as caught, story.db.transaction() as session:
        story.decide_in(session, actor_of(story.cast.manager), request_id, Verdict.DENY, comment)
    assert caught.value.field == "comment"
    assert story.see(request_id).state is State.PENDING


@pytest.mark.on_sqlite
def test_a_comment_with_unseen_characters_or_beyond_its_length_is_refused(
    story: Story, decide: Decide
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    for comment in ("fine\u202eenif", "a" * 2001):
        with pytest.raises(FieldError):
            decide(request_id, story.cast.manager, comment=comment)
    decide(request_id, story.cast.manager, comment="a" * 2000)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("verdict", list(Verdict))
def test_nobody_decides_their_own_request(story: Story, decide: Decide, verdict: Verdict) -> None:
    """Even when a row says that they may: requester, beneficiary, last editor and publisher are looked at anew."""
    for part in ("requester", "beneficiary", "editor", "publisher"):
        request_id = story.planned(OWNER_STAGE, **{part: story.cast.owner})
        with story.db.transaction() as session:
            stage = story.stages(request_id)[0]
            session.add(
                StageApprover(
                    stage_id=stage.id, person_id=story.cast.owner, relation="x", rule="group:crm-owners"
                )
            )
        with pytest.raises(NotYours):
            decide(request_id, story.cast.owner, verdict)
        assert story.see(request_id).state is State.PENDING


@pytest.mark.on_sqlite
def test_an_outsider_cannot_decide(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.outsider)


@pytest.mark.on_sqlite
def test_the_portal_itself_cannot_decide(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, 0, actor=PORTAL)


@pytest.mark.on_sqlite
def test_a_row_slipped_in_beside_the_sealed_route_gives_nobody_a_right(story: Story, decide: Decide) -> None:
    request_id = story.planned(OWNER_STAGE)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.add(Membership(group_id=group.id, person_id=story.cast.outsider))
        session.add(
            StageApprover(
                stage_id=story.stages(request_id)[0].id,
                person_id=story.cast.outsider,
                relation="member of crm owners",
                rule="group:crm-owners",
            )
        )
    with pytest.raises(NotYours):
        decide(request_id, story.cast.outsider)


@pytest.mark.on_sqlite
def test_whoever_joins_the_group_after_the_seal_cannot_decide(story: Story, decide: Decide) -> None:
    request_id = story.planned(OWNER_STAGE)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.add(Membership(group_id=group.id, person_id=story.cast.outsider))
    with pytest.raises(NotYours):
        decide(request_id, story.cast.outsider)


@pytest.mark.on_sqlite
def test_eligibility_is_computed_again_when_deciding(story: Story, decide: Decide) -> None:
    """An account that was closed, a group that was left, a manager who changed: the right is gone at once."""
    closed, left, changed = (
        story.planned(OWNER_STAGE),
        story.planned(OWNER_STAGE),
        story.planned(MANAGER_STAGE),
    )
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.owner).active = False
    with pytest.raises(NotYours):
        decide(closed, story.cast.owner)
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.owner).active = True
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.delete(session.get_one(Membership, (group.id, story.cast.owner)))
        session.get_one(Person, story.cast.requester).manager_id = story.cast.head
    with pytest.raises(NotYours):
        decide(left, story.cast.owner)
    with pytest.raises(NotYours):
        decide(changed, story.cast.manager)
    decide(left, story.cast.second_owner)


@pytest.mark.on_sqlite
def test_one_person_counts_once_over_all_stages(story: Story, decide: Decide) -> None:
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.requester).manager_id = story.cast.owner
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.owner)
    for verdict in Verdict:
        with pytest.raises((Conflict, NotYours)):
            decide(request_id, story.cast.owner, verdict)
    decide(request_id, story.cast.second_owner)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
def test_a_second_decision_by_the_same_person_in_the_same_stage_is_a_conflict(
    story: Story, decide: Decide
) -> None:
    request_id = story.planned(TWO_OWNERS)
    decide(request_id, story.cast.owner)
    with pytest.raises(Conflict, match="already decided"):
        decide(request_id, story.cast.owner, Verdict.DENY)


def test_whoever_alone_can_decide_later_leaves_the_earlier_stage_to_others(
    story: Story, decide: Decide
) -> None:
    """The owner of the ERP stands in both groups; the other one leaves the second group after the seal."""
    both = {**OWNER_STAGE, "slug": "later", "name": "Later", "approvers": {"group": "network-security"}}
    request_id = story.planned(OWNER_STAGE, both)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "network-security")).one()
        for person in (story.cast.second_owner, story.cast.security):
            session.delete(session.get_one(Membership, (group.id, person)))
    with pytest.raises(Conflict, match="You are needed for the stage “Later”"):
        decide(request_id, story.cast.owner)
    decide(request_id, story.cast.second_owner)
    decide(request_id, story.cast.owner)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
def test_when_nobody_is_left_for_the_next_stage_the_request_is_planned_again(
    story: Story, decide: Decide
) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    with story.db.transaction() as session:
        for person in (story.cast.owner, story.cast.second_owner):
            session.get_one(Person, person).active = False
    decide(request_id, story.cast.manager)
    request = story.see(request_id)
    assert request.state is State.PREPARING
    assert "Too few" in request.outcome
    with story.db.reading() as session:
        assert session.scalars(select(Decision)).one().voided_at is not None


def test_another_seal_in_the_database_is_a_conflict_that_says_what_changed(
    story: Story, decide: Decide
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    seen = story.see(request_id).seal
    with story.db.transaction() as session:
        request = get_locked(session, request_id)
        request.answers = {**request.answers, "role": "administrator"}
        request.risk = {"level": "high", "score": 60, "reasons": []}
        plan = request.plans[0]
        request.plans = [{**plan, "lines": [{"change": "add", "text": "Rosa Requester joins administrator"}]}]
        request.revision = 2
    story.plan(request_id)
    assert story.see(request_id).seal != seen
    with pytest.raises(SealChanged) as caught:
        decide(request_id, story.cast.manager, seal=seen)
    assert "The answer role was “sales” and is now “administrator”." in caught.value.changes
    assert "Planned now: Rosa Requester joins administrator" in caught.value.changes
    assert "No longer planned: Rosa Requester joins sales" in caught.value.changes
    assert "The risk was low and is now high (score 60)." in caught.value.changes
    assert story.see(request_id).state is State.PENDING


@pytest.mark.on_sqlite
@pytest.mark.parametrize("seal", ["", "sha256:" + "0" * 64, "nonsense"])
def test_a_seal_that_never_was_is_a_conflict(story: Story, decide: Decide, seal: str) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(SealChanged):
        decide(request_id, story.cast.manager, seal=seal)


@pytest.mark.parametrize(
    "values",
    [
        {"answers": {"role": "administrator"}},
        {"risk": {"level": "low", "score": 1, "reasons": []}},
        {"plans": []},
        {"route": []},
    ],
)
def test_what_is_stored_and_no_longer_fits_its_seal_is_never_approved(
    story: Story, decide: Decide, values: dict[str, Any]
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with story.db.transaction() as session:
        session.execute(update(Request).where(Request.id == request_id).values(**values))
    with pytest.raises((SealChanged, NotYours)):
        decide(request_id, story.cast.manager)
    assert story.see(request_id).state is State.PENDING


@pytest.mark.on_sqlite
def test_a_denial_wins_over_an_approval_until_fulfilment_has_started(story: Story, decide: Decide) -> None:
    request_id = story.planned(OWNER_STAGE)
    decide(request_id, story.cast.owner)
    assert story.see(request_id).state is State.SCHEDULED
    decide(request_id, story.cast.second_owner, Verdict.DENY)
    assert story.see(request_id).state is State.REJECTED


@pytest.mark.on_sqlite
def test_an_approver_of_an_earlier_stage_may_still_deny_while_a_later_one_decides(
    story: Story, decide: Decide
) -> None:
    request_id = story.planned(OWNER_STAGE, {**MANAGER_STAGE, "slug": "later"})
    decide(request_id, story.cast.owner)
    decide(request_id, story.cast.second_owner, Verdict.DENY)
    assert story.see(request_id).state is State.REJECTED
    assert states(story, request_id) == [StageState.REJECTED, StageState.CLOSED]


@pytest.mark.on_sqlite
def test_once_fulfilment_has_started_a_denial_comes_too_late(story: Story, decide: Decide) -> None:
    request_id = story.planned(OWNER_STAGE)
    decide(request_id, story.cast.owner)
    move_on(story, request_id, Move.START)
    with pytest.raises(Conflict):
        decide(request_id, story.cast.second_owner, Verdict.DENY)
    assert story.see(request_id).state is State.FULFILLING


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("how", [Move.WITHDRAW, Move.REJECT, Move.REPLAN])
def test_no_decision_on_a_request_that_has_moved_on(
    story: Story, decide: Decide, how: Move, verdict: Verdict
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    move_on(story, request_id, how)
    with pytest.raises(Conflict):
        decide(request_id, story.cast.manager, verdict)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_stage_that_has_not_opened_is_not_decided(story: Story, decide: Decide, verdict: Verdict) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    with pytest.raises(Conflict):
        decide(request_id, story.cast.owner, verdict)


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("risk", "minutes", "needed"),
    [
        ("low", 14, False),
        ("low", 16, True),
        ("medium", 14, False),
        ("medium", 16, True),
        ("high", 4, False),
        ("high", 6, True),
        ("critical", 4, False),
        ("critical", 6, True),
    ],
)
def test_the_sign_in_is_at_most_15_minutes_old_and_5_for_high_risk(
    story: Story,
    decide: Decide,
    clock: StandingClock,
    actor_of: Callable[..., Actor],
    risk: str,
    minutes: int,
    needed: bool,
) -> None:
    request_id = story.planned(MANAGER_STAGE, risk={"level": risk, "score": 1, "reasons": []})
    actor = actor_of(story.cast.manager, signed_in=clock() - timedelta(minutes=minutes))
    if not needed:
        decide(request_id, story.cast.manager, actor=actor)
        assert story.see(request_id).state is State.SCHEDULED
        return
    with pytest.raises(StepUpNeeded) as caught:
        decide(request_id, story.cast.manager, actor=actor)
    assert caught.value.max_age == (300 if risk in {"high", "critical"} else 900)
    assert story.see(request_id).state is State.PENDING


@pytest.mark.on_sqlite
def test_the_stage_demands_its_authentication_context(
    story: Story, decide: Decide, actor_of: Callable[..., Actor]
) -> None:
    request_id = story.planned({**MANAGER_STAGE, "acr": "urn:strong"})
    for acr in ("", "urn:weak", "urn:strongest", "URN:STRONG"):
        with pytest.raises(StepUpNeeded) as caught:
            decide(request_id, story.cast.manager, actor=actor_of(story.cast.manager, acr=acr))
        assert caught.value.acr == "urn:strong"
    decide(request_id, story.cast.manager, actor=actor_of(story.cast.manager, acr="urn:strong"))


@pytest.mark.on_sqlite
def test_a_sign_in_from_the_future_or_of_unknown_time_does_not_count(
    story: Story, decide: Decide, clock: StandingClock, actor_of: Callable[..., Actor]
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(StepUpNeeded):
        decide(
            request_id,
            story.cast.manager,
            actor=actor_of(story.cast.manager, signed_in=clock() + timedelta(minutes=5)),
        )
    nameless = Actor(name="Milo Manager", person_id=story.cast.manager)
    with pytest.raises(StepUpNeeded):
        decide(request_id, story.cast.manager, actor=nameless)


def test_the_decision_keeps_when_and_how_the_person_signed_in(
    story: Story, decide: Decide, clock: StandingClock
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.manager, comment="Agreed with the team")
    with story.db.reading() as session:
        decision = session.scalars(select(Decision)).one()
    assert decision.auth_time == clock()
    assert decision.acr == "urn:countersign:acr:mfa"
    assert decision.amr == ["pwd", "otp"]
    assert decision.seal == story.see(request_id).seal
    (entry,) = entries(story, "approval:approved")
    assert entry["facts"]["seal"] == decision.seal
    assert entry["facts"]["rule"] == "line-manager:beneficiary"
    assert entry["actor"] == f"person:{story.cast.manager}"
    assert "Agreed" not in json.dumps(entry), "what a person typed is only committed to"
    with story.db.reading() as session:
        values = {row.field: row.value for row in session.scalars(select(PersonalValue))}
    assert values["comment"] == "Agreed with the team"


@pytest.mark.on_sqlite
def test_the_ledger_tells_the_whole_way(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager)
    decide(request_id, story.cast.owner, Verdict.DENY)
    with story.db.reading() as session:
        tags = list(
            session.scalars(
                select(Entry.tag).where(Entry.subject == "request:SR-000001").order_by(Entry.number)
            )
        )
    assert tags == [
        "request:sealed",
        "stage:opened",
        "approval:approved",
        "stage:approved",
        "stage:opened",
        "approval:denied",
        "stage:rejected",
        "stage:closed",
    ]
    seal = story.see(request_id).seal
    for tag in set(tags):
        assert all(entry["facts"]["seal"] == seal for entry in entries(story, tag))


def test_a_refused_decision_leaves_no_trace(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with story.db.reading() as session:
        before = session.scalars(select(Entry.number)).all()
    with pytest.raises(NotYours):
        decide(request_id, story.cast.outsider)
    with story.db.reading() as session:
        assert session.scalars(select(Entry.number)).all() == before
        assert session.scalars(select(Decision)).all() == []


def test_a_directory_that_cannot_be_read_refuses_and_no_earlier_yes_is_remembered(
    story: Story, decide: Decide, actor_of: Callable[..., Actor]
) -> None:
    request_id = story.planned(OWNER_STAGE)
    actor = actor_of(story.cast.owner)
    decide(story.planned(OWNER_STAGE), story.cast.owner)  # it was a yes a moment ago
    with story.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE membership RENAME TO membership_away"))
    with pytest.raises(DBAPIError):
        decide(request_id, story.cast.owner, actor=actor)
    with story.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE membership_away RENAME TO membership"))
    assert story.see(request_id).state is State.PENDING
    decide(request_id, story.cast.owner, actor=actor)


def test_line_breaks_and_bidirectional_controls_never_reach_the_header_of_an_approvers_mail(
    story: Story,
) -> None:
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.requester).name = "Rosa\r\nBcc: all@evil.test\u202e"
    story.planned(MANAGER_STAGE)
    with story.db.reading() as session:
        subject = session.scalars(
            select(Message.subject_line).where(Message.event == "approval_requested")
        ).one()
    assert "SR-000001" in subject
    assert not set(subject) & {"\r", "\n", "\u202e"}
