"""What approvals do when something happens to a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Sealing, StageApprover, StageState
from approvals.routing.resolve import NobodyToAsk
from approvals.routing.router import Router
from catalog.requests.events import FulfilmentStarting, RequestApproved, RequestRefused
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.replan import replan
from catalog.requests.seal import seal, sealed_document
from catalog.requests.states import State
from catalog.requests.withdraw import withdraw
from portal.audit.model import Entry
from portal.core.canonical import digest
from portal.core.errors import Conflict
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story
from tests.fixtures_people import StandingClock

Decide = Callable[..., None]


def states(story: Story, request_id: int) -> list[StageState]:
    return [stage.state for stage in story.stages(request_id)]


def mails(story: Story, event: str) -> set[int | None]:
    with story.db.reading() as session:
        return set(session.scalars(select(Message.person_id).where(Message.event == event)))


def tags(story: Story) -> list[str]:
    with story.db.reading() as session:
        return list(session.scalars(select(Entry.tag).order_by(Entry.number)))


def decisions(story: Story) -> list[Decision]:
    with story.db.reading() as session:
        return list(session.scalars(select(Decision).order_by(Decision.id)))


def start_fulfilment(story: Story, request_id: int) -> None:
    with story.db.transaction() as session:
        publish(session, FulfilmentStarting(request_id))


def test_a_planned_request_is_sealed_over_all_of_it_and_its_first_stage_asked(
    story: Story, clock: StandingClock
) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    with story.db.reading() as session:
        request = session.get_one(Request, request_id)
        assert request.seal == seal(request)
        assert [stage["slug"] for stage in request.route] == ["line-manager", "resource-owner"]
        assert request.sealed_at == request.baton_since == clock()
        sealing = session.scalars(select(Sealing)).one()
        assert digest(sealing.document) == sealing.seal == request.seal
        assert sealing.document == json.loads(
            json.dumps(sealed_document(request, plans=request.plans, route=request.route))
        )
    assert mails(story, "approval_requested") == {story.cast.manager}
    assert tags(story)[-2:] == ["request:sealed", "stage:opened"]


@pytest.mark.on_sqlite
def test_the_stage_is_due_on_the_approvers_working_calendar(story: Story, clock: StandingClock) -> None:
    """Wednesday the 18th is a day off in Berlin's land of Saxony only; 10:00 plus eight working hours is the 19th."""
    request_id = story.planned(MANAGER_STAGE)
    (stage,) = story.stages(request_id)
    assert stage.due_at is not None
    assert stage.due_at.isoformat() == "2026-11-19T09:00:00+00:00"
    request = story.see(request_id)
    assert request.baton_due == stage.due_at
    assert request.promised_by is not None
    assert request.promised_by >= stage.due_at


@pytest.mark.on_sqlite
def test_a_second_stage_is_asked_only_when_the_first_has_agreed(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    assert mails(story, "approval_requested") == {story.cast.manager}
    decide(request_id, story.cast.manager)
    assert mails(story, "approval_requested") == {
        story.cast.manager,
        story.cast.owner,
        story.cast.second_owner,
    }


@pytest.mark.on_sqlite
def test_whoever_decided_before_is_not_asked_again(story: Story, decide: Decide) -> None:
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.requester).manager_id = story.cast.owner
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.add(Membership(group_id=group.id, person_id=story.cast.security))
    both = {**OWNER_STAGE, "slug": "first", "name": "First"}
    request_id = story.planned(both, {**OWNER_STAGE, "approvers": {"group": "network-security"}})
    decide(request_id, story.cast.security)
    with story.db.reading() as session:
        asked = list(session.scalars(select(Message.person_id).where(Message.event == "approval_requested")))
    assert sorted(asked) == sorted(
        [
            story.cast.owner,
            story.cast.second_owner,
            story.cast.security,
            story.cast.owner,
            story.cast.second_owner,
        ]
    )


@pytest.mark.on_sqlite
def test_a_route_to_nobody_refuses_now_and_writes_nothing(story: Story) -> None:
    request_id = story.request(story.offer(MANAGER_STAGE), requester=story.cast.head)
    before = tags(story)
    with pytest.raises(NobodyToAsk):
        story.plan(request_id)
    assert story.stages(request_id) == []
    assert story.see(request_id).seal == ""
    assert tags(story) == before


def test_a_request_without_stages_is_approved_by_its_published_policy(story: Story) -> None:
    told: list[Any] = []
    story.db.info["handlers"][RequestApproved] = (lambda _session, event: told.append(event),)
    request_id = story.planned({**OWNER_STAGE, "when": "risk.level != 'low'"})
    assert story.see(request_id).state is State.SCHEDULED
    assert [event.request_id for event in told] == [request_id]
    with story.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "request:approved-by-policy")).one()
    facts = json.loads(entry.body)["facts"]
    assert facts["publisher"] == f"person:{story.cast.operator}"
    assert facts["version"] == 1
    start_fulfilment(story, request_id)


@pytest.mark.on_sqlite
def test_an_edit_voids_every_approval_so_far_in_the_same_transaction(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager)
    with pytest.raises(RuntimeError), story.db.transaction() as session:
        replan(session, get_locked(session, request_id), "The role was changed.")
        raise RuntimeError("the rest of the edit fails")
    assert decisions(story)[0].voided_at is None, "void with the edit or not at all"
    assert states(story, request_id) == [StageState.APPROVED, StageState.OPEN]
    with story.db.transaction() as session:
        replan(session, get_locked(session, request_id), "The role was changed.")
    (decision,) = decisions(story)
    assert decision.voided_at is not None
    assert decision.voided_because == "The role was changed."
    assert states(story, request_id) == [StageState.CLOSED, StageState.CLOSED]
    assert mails(story, "approval_ended") == {story.cast.manager, story.cast.owner, story.cast.second_owner}
    with pytest.raises(Conflict):
        decide(request_id, story.cast.owner)


def test_after_an_edit_the_same_people_decide_anew_on_the_new_seal(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE)
    first = story.see(request_id).seal
    with story.db.transaction() as session:
        request = get_locked(session, request_id)
        replan(session, request, "The role was changed.")
        request.answers = {**request.answers, "role": "viewer"}
        request.state, request.revision = State.PENDING, 2
    story.plan(request_id)
    assert story.see(request_id).seal != first
    with pytest.raises(Conflict):
        decide(request_id, story.cast.manager, seal=first)
    decide(request_id, story.cast.manager)
    assert [stage.state for stage in story.stages(request_id)] == [StageState.CLOSED, StageState.APPROVED]


@pytest.mark.on_sqlite
def test_withdrawing_closes_the_stage_and_tells_whoever_was_asked(
    story: Story, decide: Decide, actor_of: Callable[..., Actor]
) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    with story.db.transaction() as session:
        withdraw(session, actor_of(story.cast.requester), request_id, "No longer needed")
    assert states(story, request_id) == [StageState.CLOSED, StageState.CLOSED]
    assert mails(story, "approval_ended") == {story.cast.manager}
    assert tags(story)[-2:] == ["request:withdrawn", "stage:closed"], (
        "a stage that never opened needs no entry"
    )
    with pytest.raises(Conflict):
        decide(request_id, story.cast.manager)


@pytest.mark.on_sqlite
def test_a_refusal_by_the_portal_closes_what_is_open(story: Story) -> None:
    request_id = story.planned(MANAGER_STAGE)
    with story.db.transaction() as session:
        publish(session, RequestRefused(request_id))
    assert states(story, request_id) == [StageState.CLOSED]


@pytest.mark.on_sqlite
def test_a_rejection_tells_the_requester_and_the_other_approvers(story: Story, decide: Decide) -> None:
    request_id = story.planned(OWNER_STAGE)
    decide(request_id, story.cast.owner, Verdict.DENY, comment="Not this quarter")
    assert mails(story, "request_rejected") == {story.cast.requester}
    assert mails(story, "approval_ended") == {story.cast.second_owner}
    with story.db.reading() as session:
        text = session.scalars(select(Message.text).where(Message.event == "request_rejected")).one()
    assert "Not this quarter" in text


@pytest.mark.on_sqlite
def test_the_requester_is_told_when_everybody_has_agreed(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager)
    assert mails(story, "request_approved") == set()
    decide(request_id, story.cast.owner)
    assert mails(story, "request_approved") == {story.cast.requester}


@pytest.mark.on_sqlite
def test_fulfilment_starts_on_approvals_that_hold(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager)
    decide(request_id, story.cast.owner)
    start_fulfilment(story, request_id)


def break_account(story: Story, session: Any) -> None:
    session.get_one(Person, story.cast.owner).active = False


def break_group(story: Story, session: Any) -> None:
    group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
    session.delete(session.get_one(Membership, (group.id, story.cast.owner)))


def break_manager(story: Story, session: Any) -> None:
    session.get_one(Person, story.cast.requester).manager_id = story.cast.head


def break_answers(story: Story, session: Any) -> None:
    session.execute(update(Request).values(answers={"role": "administrator"}))


def break_plan(story: Story, session: Any) -> None:
    session.execute(update(Request).values(plans=[]))


def break_decision_seal(story: Story, session: Any) -> None:
    session.execute(update(Decision).values(seal="sha256:" + "0" * 64))


def break_void(story: Story, session: Any) -> None:
    session.execute(update(Decision).values(voided_at=story.db.clock()))


def break_denied(story: Story, session: Any) -> None:
    session.execute(update(Decision).values(verdict=Verdict.DENY))


def break_stage(story: Story, session: Any) -> None:
    session.execute(update(story.stages(1)[0].__class__).values(quorum=0))


def break_name(story: Story, session: Any) -> None:
    """Somebody else's name on a decision, written behind the portal's back."""
    session.execute(
        update(Decision).where(Decision.person_id == story.cast.manager).values(person_id=story.cast.leaver)
    )


def break_late(story: Story, session: Any) -> None:
    session.execute(update(story.stages(1)[0].__class__).values(state=StageState.CLOSED))


@pytest.mark.parametrize(
    "broken",
    [
        break_account,
        break_group,
        break_manager,
        break_answers,
        break_plan,
        break_decision_seal,
        break_void,
        break_denied,
        break_stage,
        break_name,
        break_late,
    ],
)
def test_eligibility_and_seal_are_computed_again_when_fulfilling(
    story: Story, decide: Decide, broken: Callable[[Story, Any], None]
) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager)
    decide(request_id, story.cast.owner)
    start_fulfilment(story, request_id)
    with story.db.transaction() as session:
        broken(story, session)
    with pytest.raises(Conflict):
        start_fulfilment(story, request_id)


@pytest.mark.on_sqlite
def test_a_quorum_that_lost_one_of_its_people_no_longer_holds(story: Story, decide: Decide) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 2})
    decide(request_id, story.cast.owner)
    decide(request_id, story.cast.second_owner)
    start_fulfilment(story, request_id)
    with story.db.transaction() as session:
        break_account(story, session)
    with pytest.raises(Conflict, match="no longer holds"):
        start_fulfilment(story, request_id)


@pytest.mark.on_sqlite
def test_the_router_shows_how_far_a_request_has_come(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    decide(request_id, story.cast.manager, comment="Agreed")
    with story.db.reading() as session:
        manager, owners = Router().progress(session, request_id)
    assert (manager.state, owners.state) == ("approved", "open")
    assert owners.approvers == ("Olga Owner", "Otto Owner")
    assert [(line.person, line.verdict, line.comment) for line in manager.decisions] == [
        ("Milo Manager", "approve", "Agreed")
    ]


@pytest.mark.on_sqlite
def test_only_people_of_stages_that_opened_may_see_the_request(story: Story, decide: Decide) -> None:
    request_id = story.planned(MANAGER_STAGE, OWNER_STAGE)
    router = Router()
    with story.db.reading() as session:
        assert router.may_see(session, request_id, story.cast.manager)
        assert not router.may_see(session, request_id, story.cast.owner)
        assert not router.may_see(session, request_id, story.cast.outsider)
    decide(request_id, story.cast.manager)
    with story.db.reading() as session:
        assert router.may_see(session, request_id, story.cast.owner)


def test_nobody_stands_twice_in_a_stage(story: Story) -> None:
    request_id = story.planned(OWNER_STAGE)
    with story.db.reading() as session:
        count = (
            select(func.count())
            .select_from(StageApprover)
            .where(StageApprover.stage_id == story.stages(request_id)[0].id)
        )
        assert session.scalar(count) == 2
