"""An approver leaves a decision to another person who may make it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from approvals.decisions.model import Verdict
from approvals.decisions.queries import count_awaiting, requests_awaiting
from approvals.decisions.right import NotYours
from approvals.reassigning.reassign import reassign
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldError
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story, Web

ActorOf = Callable[..., Actor]


def left(story: Story, actor: Actor, request_id: int, to: int, reason: str = "He knows the team") -> None:
    with story.db.transaction() as session:
        reassign(
            session,
            actor,
            request_id,
            to=to,
            reason=reason,
            seal=story.see(request_id).seal,
            settings=story.settings,
        )


def waiting(story: Story, actor: Actor) -> list[str]:
    with story.db.reading() as session:
        rows = requests_awaiting(session, actor)
        assert count_awaiting(session, actor) == len(rows)
    return [row.reference for row in rows]


def test_the_other_is_asked_instead_and_both_are_told(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    olga, otto = actor_of(story.cast.owner), actor_of(story.cast.second_owner)
    left(story, olga, request_id, story.cast.second_owner)
    assert story.see(request_id).baton == "Otto Owner"
    assert waiting(story, olga) == []
    assert waiting(story, otto) == ["SR-000001"]
    with story.db.reading() as session:
        told = session.scalars(
            select(Message).where(Message.event == "stage_reassigned").order_by(Message.id)
        )
        mails = {message.person_id: message for message in told}
        asked = session.scalars(
            select(Message.person_id).where(Message.event == "approval_requested").order_by(Message.id)
        ).all()
        entry = session.scalars(select(Entry).where(Entry.tag == "stage:reassigned")).one()
    assert set(mails) == {story.cast.owner, story.cast.second_owner}
    assert "Olga Owner leaves a decision to you" in mails[story.cast.second_owner].text
    assert "He knows the team" in mails[story.cast.second_owner].text
    assert asked[-1] == story.cast.second_owner, "with the card and a link of their own"
    assert json.loads(entry.body)["facts"]["to"] == f"person:{story.cast.second_owner}"
    assert "knows" not in entry.body
    with story.db.transaction() as session:
        story.decide_in(session, otto, request_id, Verdict.APPROVE)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
def test_it_may_be_given_back(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    olga, otto = actor_of(story.cast.owner), actor_of(story.cast.second_owner)
    left(story, olga, request_id, story.cast.second_owner)
    left(story, otto, request_id, story.cast.owner, "I am away")
    assert (waiting(story, olga), waiting(story, otto)) == (["SR-000001"], [])
    assert story.see(request_id).baton == "Olga Owner"


@pytest.mark.on_sqlite
def test_leaving_it_takes_nobodys_right_under_the_seal(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    left(story, actor_of(story.cast.owner), request_id, story.cast.second_owner)
    with story.db.transaction() as session:
        story.decide_in(session, actor_of(story.cast.owner), request_id, Verdict.DENY, "No")
    assert story.see(request_id).state is State.REJECTED


@pytest.mark.on_sqlite
def test_who_is_not_under_the_seal_gets_no_right_by_it(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.add(Membership(group_id=group.id, person_id=story.cast.outsider))
    for person in ("outsider", "security", "requester", "owner"):
        with pytest.raises(FieldError) as caught:
            left(story, actor_of(story.cast.owner), request_id, story.cast.ids[person])
        assert caught.value.field == "person"
    with pytest.raises(NotYours):
        left(story, actor_of(story.cast.outsider), request_id, story.cast.owner)
    with pytest.raises(FieldError, match="Write why"):
        left(story, actor_of(story.cast.owner), request_id, story.cast.second_owner, " ")


@pytest.mark.on_sqlite
def test_nobody_leaves_a_stage_that_needs_them(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 2})
    with pytest.raises(Conflict, match="needs you"):
        left(story, actor_of(story.cast.owner), request_id, story.cast.second_owner)
    assert waiting(story, actor_of(story.cast.owner)) == ["SR-000001"]


@pytest.mark.on_sqlite
def test_whoever_has_decided_is_not_asked_again(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned({**OWNER_STAGE, "approvers": {"group": "network-security"}, "quorum": 2})
    with story.db.transaction() as session:
        story.decide_in(session, actor_of(story.cast.security), request_id, Verdict.APPROVE)
    with pytest.raises(FieldError, match="already decided"):
        left(story, actor_of(story.cast.owner), request_id, story.cast.security)


@pytest.mark.on_sqlite
def test_leaving_it_on_the_card(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    card = "/approvals/SR-000001"
    browser = web.browser(web.story.cast.owner)
    fields = browser.form(card)
    page = browser.get(card).get_data(as_text=True)
    assert f'<option value="{web.story.cast.second_owner}">Otto Owner</option>' in page
    form = {
        "csrf_token": fields["csrf_token"],
        "seal": fields["seal"],
        "person": str(web.story.cast.second_owner),
    }
    headers = {"Origin": browser.origin}
    empty = browser.client.post(f"{card}/reassignment", data={**form, "reason": ""}, headers=headers)
    assert empty.status_code == 422
    assert 'href="#reassign-reason"' in empty.get_data(as_text=True)
    sent = browser.client.post(f"{card}/reassignment", data={**form, "reason": "Away"}, headers=headers)
    assert (sent.status_code, sent.location) == (303, "/approvals")
    assert "Nothing waits for you" in browser.get("/approvals").get_data(as_text=True)
    web.story.planned(MANAGER_STAGE)
    assert "Leave it to somebody else" not in web.browser(web.story.cast.manager).get(
        "/approvals/SR-000002"
    ).get_data(as_text=True)
