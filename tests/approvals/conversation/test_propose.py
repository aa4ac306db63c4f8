"""An approver proposes less, and the requester accepts it or keeps the request as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from approvals.conversation.accept import accept, decline
from approvals.conversation.difference import applied
from approvals.conversation.model import Remark, RemarkState
from approvals.conversation.propose import propose
from approvals.decisions.model import Decision, Verdict
from approvals.decisions.right import NotYours
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move
from catalog.requests.states import Move, State
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden
from portal.identity.actor import Actor
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story, Web, offering_text

CARD = "/approvals/SR-000001"
ActorOf = Callable[..., Actor]


_FORM = yaml.safe_load(offering_text([OWNER_STAGE]))["form"]
_FORM["sections"][0]["fields"].append({"kind": "date", "name": "until", "label": "Until", "required": False})
#: Access that may have an end.
ENDING: dict[str, Any] = {"form": _FORM, "ends": {"date": "until"}}


def proposed(
    story: Story, actor: Actor, request_id: int, reason: str = "Reading is enough", **answers: Any
) -> int:
    request = story.see(request_id)
    with story.db.transaction() as session:
        remark = propose(
            session,
            actor,
            request_id,
            answers={**request.answers, **(answers or {"until": "2026-12-01"})},
            reason=reason,
            seal=request.seal,
        )
        session.flush()
        return remark.id


def replied(story: Story, actor: Actor, request_id: int, remark_id: int, *, yes: bool) -> None:
    with story.db.transaction() as session:
        if yes:
            remark = session.get_one(Remark, remark_id)
            answers = applied(story.see(request_id).answers, remark.changes)
            accept(session, actor, request_id, remark_id, answers=answers, reply="Fine")
        else:
            decline(session, actor, request_id, remark_id, reply="I need to write")


@pytest.mark.on_sqlite
def test_accepting_edits_the_request_and_earlier_approvals_fall_and_the_proposer_may_approve_it(
    story: Story, actor_of: ActorOf
) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 2}, offering=ENDING)
    owner, other = actor_of(story.cast.owner), actor_of(story.cast.second_owner)
    with story.db.transaction() as session:
        story.decide_in(session, other, request_id, Verdict.APPROVE)
    seal = story.see(request_id).seal
    remark = proposed(story, owner, request_id)
    request = story.see(request_id)
    assert (request.baton, request.paused_since is not None) == ("Rosa Requester", True)
    assert "until" not in request.answers, "a proposal changes nothing yet"
    replied(story, actor_of(story.cast.requester), request_id, remark, yes=True)
    request = story.see(request_id)
    assert request.state is State.PREPARING
    assert request.answers["until"] == "2026-12-01"
    assert request.editor_id == story.cast.requester
    assert (request.seal, request.paused_since) == ("", None)
    with story.db.reading() as session:
        assert [d.voided_at is not None for d in session.scalars(select(Decision))] == [True]
        assert session.get_one(Remark, remark).state is RemarkState.ACCEPTED
        tags = list(session.scalars(select(Entry.tag).order_by(Entry.number)))
        told = {message.event: message for message in session.scalars(select(Message))}
    assert tags.index("proposal:made") < tags.index("proposal:accepted") < tags.index("request:edited")
    assert "Until" in told["proposal_made"].text
    assert told["proposal_answered"].person_id == story.cast.owner
    # Prepared and sealed again, as the worker does.
    with story.db.transaction() as session:
        request = get_locked(session, request_id)
        move(session, request, Move.PREPARE)
        request.revision += 1
    story.plan(request_id)
    assert story.see(request_id).seal != seal
    with story.db.transaction() as session:
        story.decide_in(session, owner, request_id, Verdict.APPROVE)


@pytest.mark.on_sqlite
def test_declining_gives_it_back_to_the_proposer_as_it_was(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE, offering=ENDING)
    seal = story.see(request_id).seal
    remark = proposed(story, actor_of(story.cast.owner), request_id)
    replied(story, actor_of(story.cast.requester), request_id, remark, yes=False)
    request = story.see(request_id)
    assert (request.state, request.seal, request.baton) == (State.PENDING, seal, "Olga Owner")
    assert request.paused_since is None
    with story.db.reading() as session:
        assert session.get_one(Remark, remark).state is RemarkState.DECLINED
        (message,) = session.scalars(select(Message).where(Message.event == "proposal_answered"))
    assert "I need to write" in message.text
    with pytest.raises(Conflict):
        replied(story, actor_of(story.cast.requester), request_id, remark, yes=True)


@pytest.mark.on_sqlite
def test_only_the_requester_accepts(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE, offering=ENDING)
    remark = proposed(story, actor_of(story.cast.owner), request_id)
    for person in ("owner", "second_owner", "manager"):
        with pytest.raises(Forbidden):
            replied(story, actor_of(story.cast.ids[person]), request_id, remark, yes=True)


@pytest.mark.on_sqlite
def test_only_whoever_may_decide_proposes_and_says_why(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE, offering=ENDING)
    with pytest.raises(NotYours):
        proposed(story, actor_of(story.cast.outsider), request_id)
    with pytest.raises(FieldError):
        proposed(story, actor_of(story.cast.owner), request_id, reason=" ")


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"role": "sales"}, "Change at least one answer"),
        ({"person": "ola.outsider"}, "Leave whom it is for"),
        ({"role": "sales reader"}, "Propose less of the same"),
    ],
)
def test_a_proposal_that_asks_for_no_less_is_refused(
    story: Story, actor_of: ActorOf, answers: dict[str, Any], why: str
) -> None:
    request_id = story.planned(OWNER_STAGE, offering=ENDING)
    with pytest.raises(FieldErrors) as caught:
        proposed(story, actor_of(story.cast.owner), request_id, **answers)
    assert why in caught.value.errors[0].message
    assert story.see(request_id).paused_since is None


def test_proposing_and_accepting_on_the_pages(web: Web) -> None:
    web.story.planned(MANAGER_STAGE, offering=ENDING)
    manager, requester = (web.browser(web.story.cast.ids[person]) for person in ("manager", "requester"))
    page = manager.get(f"{CARD}/proposal").get_data(as_text=True)
    assert 'value="sales"' in page
    fields = {
        "csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0],
        "_seal": page.split('name="_seal" value="')[1].split('"')[0],
        "person": "rosa.requester",
        "role": "sales",
        "until": "2026-12-01",
        "reason": "Month-end closing",
    }
    headers = {"Origin": manager.origin}
    empty = manager.client.post(f"{CARD}/proposal", data={**fields, "_reason": ""}, headers=headers)
    assert empty.status_code == 422
    assert 'href="#_reason"' in empty.get_data(as_text=True)
    same = manager.client.post(
        f"{CARD}/proposal", data={**fields, "until": "", "_reason": "x"}, headers=headers
    )
    assert "Change at least one answer" in same.get_data(as_text=True)
    sent = manager.client.post(
        f"{CARD}/proposal", data={**fields, "_reason": "Reading is enough"}, headers=headers
    )
    assert (sent.status_code, sent.location) == (303, CARD)
    page = requester.get("/requests/SR-000001").get_data(as_text=True)
    assert "Milo Manager proposes less" in page
    assert "Until" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = requester.client.post(
        "/requests/SR-000001/proposal",
        data={"csrf_token": token, "remark": "1", "decision": "accept", "reply": ""},
        headers=headers,
    )
    assert answer.status_code == 303
    with web.portal.db.reading() as session:
        request = session.get_one(Request, 1)
    assert (request.state, request.answers["until"]) == (State.PREPARING, "2026-12-01")
