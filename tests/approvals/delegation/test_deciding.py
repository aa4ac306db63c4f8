"""Deciding in another's place: what a delegation gives, and every way in which it gives nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from approvals.decisions.inbox import inbox_of
from approvals.decisions.model import Decision, Verdict
from approvals.decisions.queries import count_awaiting
from approvals.decisions.right import NotYours
from approvals.delegation.end import end
from approvals.delegation.give import Wish, give
from approvals.delegation.model import Delegation
from approvals.routing.model import StageState
from approvals.routing.progress import progress_of, was_asked
from approvals.routing.resolve import NobodyToAsk
from catalog.requests.events import FulfilmentStarting
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.errors import Conflict
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story, Web
from tests.fixtures_people import StandingClock

Decide = Callable[..., None]
TODAY = date(2026, 11, 18)
TWO_OWNERS = {**OWNER_STAGE, "quorum": 2}


@pytest.fixture
def delegate(story: Story, actor_of: Callable[..., Actor]) -> Callable[..., int]:
    """Lets one person delegate to another, from today for three days unless it says otherwise."""

    def made(
        delegator: int,
        substitute: int,
        *,
        first: date = TODAY,
        last: date = date(2026, 11, 20),
        offerings: tuple[str, ...] = (),
    ) -> int:
        with story.db.transaction() as session:
            name = session.get_one(Person, substitute).user_name
            wish = Wish(name, first, last, every=not offerings, offerings=offerings)
            return give(session, actor_of(delegator), wish, settings=story.settings).id

    return made


Delegate = Callable[..., int]


def facts_of(story: Story, tag: str) -> list[dict[str, Any]]:
    with story.db.reading() as session:
        rows = session.scalars(select(Entry.body).where(Entry.tag == tag).order_by(Entry.number))
        return [json.loads(body)["facts"] for body in rows]


@pytest.mark.on_sqlite
def test_both_names_stand_on_the_decision_in_the_ledger_and_on_the_page(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.manager, story.cast.security)
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.security)
    assert story.see(request_id).state is State.SCHEDULED
    with story.db.reading() as session:
        decision = session.scalars(select(Decision)).one()
        lines = progress_of(session, request_id)[0].decisions
    assert (decision.person_id, decision.on_behalf_of_id) == (story.cast.security, story.cast.manager)
    assert [line.person for line in lines] == ["Sami Security in the place of Milo Manager"]
    assert facts_of(story, "approval:approved")[0]["on_behalf_of"] == f"person:{story.cast.manager}"


def test_the_substitute_is_notified_and_finds_it_in_the_inbox(
    story: Story, delegate: Delegate, actor_of: Callable[..., Actor]
) -> None:
    before = story.planned(MANAGER_STAGE)
    delegate(story.cast.manager, story.cast.security)
    after = story.planned(MANAGER_STAGE)
    with story.db.reading() as session:
        asked = session.scalars(
            select(Message).where(
                Message.person_id == story.cast.security, Message.event == "approval_requested"
            )
        ).all()
        inbox = inbox_of(session, actor_of(story.cast.security))
        assert count_awaiting(session, actor_of(story.cast.security)) == 2
        assert was_asked(session, before, story.cast.security)
    assert [story.see(after).reference in message.subject_line for message in asked] == [True]
    assert {row.reference for row in inbox.waiting} == {"SR-000001", "SR-000002"}


@pytest.mark.on_sqlite
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_delegation_that_has_ended_or_not_begun_gives_nothing(
    story: Story, decide: Decide, delegate: Delegate, clock: StandingClock, verdict: Verdict
) -> None:
    delegate(story.cast.manager, story.cast.security, first=date(2026, 11, 19), last=date(2026, 11, 19))
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.security, verdict)
    clock.pass_time(days=2)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.security, verdict)
    clock.pass_time(days=-1)
    decide(request_id, story.cast.security, verdict)


def test_one_that_was_taken_back_or_declined_gives_nothing(
    story: Story, decide: Decide, delegate: Delegate, actor_of: Callable[..., Actor]
) -> None:
    request_id = story.planned(MANAGER_STAGE)
    for ending in (story.cast.manager, story.cast.security):
        number = delegate(story.cast.manager, story.cast.security)
        with story.db.transaction() as session:
            end(session, actor_of(ending), number)
        with pytest.raises(NotYours):
            decide(request_id, story.cast.security)


@pytest.mark.on_sqlite
def test_it_is_one_level_deep(story: Story, decide: Decide, delegate: Delegate) -> None:
    delegate(story.cast.manager, story.cast.security)
    delegate(story.cast.security, story.cast.compliance)
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.compliance)
    decide(request_id, story.cast.security)


@pytest.mark.on_sqlite
def test_it_is_never_wider_than_the_delegators_own_right(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.outsider, story.cast.security)
    delegate(story.cast.owner, story.cast.compliance)
    request_id = story.planned(OWNER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.security)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        place = session.get_one(Membership, (group.id, story.cast.owner))
        session.delete(place)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.compliance)


def test_it_ends_with_the_account_of_either(story: Story, decide: Decide, delegate: Delegate) -> None:
    delegate(story.cast.owner, story.cast.compliance)
    delegate(story.cast.second_owner, story.cast.auditor)
    request_id = story.planned(OWNER_STAGE)
    with story.db.transaction() as session:
        session.execute(
            update(Person).where(Person.id.in_([story.cast.owner, story.cast.auditor])).values(active=False)
        )
    for substitute in (story.cast.compliance, story.cast.auditor):
        with pytest.raises(NotYours):
            decide(request_id, substitute)
    decide(request_id, story.cast.second_owner)


def test_it_is_only_for_the_offerings_that_it_names(
    story: Story, decide: Decide, delegate: Delegate, actor_of: Callable[..., Actor]
) -> None:
    story.offer(MANAGER_STAGE)
    delegate(story.cast.manager, story.cast.security, offerings=("crm-access-0",))
    other = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(other, story.cast.security)
    with story.db.reading() as session:
        assert count_awaiting(session, actor_of(story.cast.security)) == 0
        assert not was_asked(session, other, story.cast.security)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("part", ["requester", "beneficiary", "editor", "publisher"])
def test_nobody_reached_by_a_delegation_decides_their_own_request(
    story: Story, decide: Decide, delegate: Delegate, part: str
) -> None:
    """An owner is kept out as requester, beneficiary, editor or publisher: so is whoever decides in their place."""
    kept_out = story.cast.second_owner
    delegate(kept_out, story.cast.security)
    delegate(story.cast.owner, kept_out)
    request_id = story.planned(OWNER_STAGE, **{part: kept_out})
    for person in (story.cast.security, kept_out):
        with pytest.raises(NotYours):
            decide(request_id, person)
    decide(request_id, story.cast.owner)


@pytest.mark.on_sqlite
def test_whoever_decides_for_a_requester_who_owns_it_too_does_not_decide_at_all(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    """Both own it, and one asks: by the requester's delegation the other would approve in the requester's place."""
    request_id = story.planned(OWNER_STAGE, requester=story.cast.second_owner)
    delegate(story.cast.second_owner, story.cast.owner)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.owner)
    with pytest.raises(NobodyToAsk, match="Nobody can decide"):
        story.planned(OWNER_STAGE, requester=story.cast.second_owner)


@pytest.mark.on_sqlite
def test_a_requester_cannot_rid_themselves_of_their_manager_by_delegating_to_them(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.requester, story.cast.manager)
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.manager)


@pytest.mark.on_sqlite
def test_a_substitute_and_who_they_stand_in_for_count_as_one(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.owner, story.cast.compliance)
    by_substitute = story.planned(TWO_OWNERS)
    decide(by_substitute, story.cast.compliance)
    with pytest.raises(Conflict, match="count as one"):
        decide(by_substitute, story.cast.owner)
    assert story.stages(by_substitute)[0].state is StageState.OPEN
    decide(by_substitute, story.cast.second_owner)
    in_person = story.planned(TWO_OWNERS)
    decide(in_person, story.cast.owner)
    with pytest.raises(Conflict, match="count as one"):
        decide(in_person, story.cast.compliance)


@pytest.mark.on_sqlite
def test_a_substitute_with_a_later_place_of_their_own_is_no_second_word_in_the_delegators_stage(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.owner, story.cast.manager)
    request_id = story.planned(TWO_OWNERS, MANAGER_STAGE)
    decide(request_id, story.cast.owner)
    for verdict in Verdict:
        with pytest.raises(Conflict, match="not open"):
            decide(request_id, story.cast.manager, verdict)
    assert story.stages(request_id)[0].state is StageState.OPEN
    decide(request_id, story.cast.second_owner)
    decide(request_id, story.cast.manager)
    assert story.see(request_id).state is State.SCHEDULED
    with story.db.reading() as session:
        assert set(session.scalars(select(Decision.on_behalf_of_id))) == {None}


def test_one_person_counts_once_even_in_the_place_of_two(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    delegate(story.cast.owner, story.cast.compliance)
    delegate(story.cast.second_owner, story.cast.compliance)
    request_id = story.planned(TWO_OWNERS)
    decide(request_id, story.cast.compliance)
    with pytest.raises(Conflict, match="One person counts once"):
        decide(request_id, story.cast.compliance)
    with story.db.reading() as session:
        used = session.scalars(select(Decision.on_behalf_of_id)).one()
    left = {story.cast.owner, story.cast.second_owner} - {used}
    decide(request_id, left.pop())
    assert story.stages(request_id)[0].state is StageState.APPROVED


@pytest.mark.on_sqlite
def test_a_substitute_does_not_use_up_who_a_later_stage_needs(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    """The second owner stands in for the first stage's manager, and both owners must agree in the second."""
    delegate(story.cast.manager, story.cast.second_owner)
    request_id = story.planned(MANAGER_STAGE, TWO_OWNERS)
    with pytest.raises(Conflict, match="You are needed"):
        decide(request_id, story.cast.second_owner)
    decide(request_id, story.cast.manager)


@pytest.mark.on_sqlite
def test_what_a_substitute_decided_holds_after_the_delegated_days(
    story: Story, decide: Decide, delegate: Delegate, clock: StandingClock
) -> None:
    delegate(story.cast.manager, story.cast.security)
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.security)
    clock.pass_time(days=9)
    with story.db.transaction() as session:
        publish(session, FulfilmentStarting(request_id))
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.requester).manager_id = story.cast.head
    with pytest.raises(Conflict, match="no longer holds"), story.db.transaction() as session:
        publish(session, FulfilmentStarting(request_id))


def test_an_approval_without_a_delegation_behind_it_carries_nothing_out(
    story: Story, decide: Decide, delegate: Delegate
) -> None:
    number = delegate(story.cast.manager, story.cast.security)
    request_id = story.planned(MANAGER_STAGE)
    decide(request_id, story.cast.security)
    with story.db.transaction() as session:
        session.delete(session.get_one(Delegation, number))
    with pytest.raises(Conflict, match="no longer holds"), story.db.transaction() as session:
        publish(session, FulfilmentStarting(request_id))


@pytest.mark.on_sqlite
def test_the_card_says_in_whose_place_one_decides(web: Web) -> None:
    cast = web.story.cast
    request_id = web.story.planned(MANAGER_STAGE)
    with web.portal.db.transaction() as session:
        name = session.get_one(Person, cast.security).user_name
        give(
            session,
            Actor(
                name="Milo Manager", person_id=cast.manager, auth_time=web.clock(), timezone="Europe/Berlin"
            ),
            Wish(name, TODAY, TODAY, every=True),
            settings=web.portal.settings,
        )
    reference = web.story.see(request_id).reference
    browser = web.browser(cast.security)
    assert "You decide for Milo Manager" in browser.get(f"/approvals/{reference}").get_data(as_text=True)
    assert browser.press(f"/approvals/{reference}", "approve").status_code == 303
    after = web.browser(cast.manager).get(f"/approvals/{reference}").get_data(as_text=True)
    assert "Sami Security in the place of Milo Manager" in after
    assert (
        web.browser(cast.requester)
        .get(f"/requests/{reference}")
        .get_data(as_text=True)
        .count("Sami Security")
    )
