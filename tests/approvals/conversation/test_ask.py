"""An approver asks, the requester answers, and the same person decides; meanwhile the clocks stand still."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from approvals.conversation.answer import answer
from approvals.conversation.ask import ask
from approvals.conversation.model import Remark, RemarkState
from approvals.decisions.changes import SealChanged
from approvals.decisions.model import Verdict
from approvals.decisions.right import NotYours
from catalog.requests.edit import edit
from catalog.requests.states import State
from catalog.requests.withdraw import withdraw
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.identity.actor import Actor
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story, Web
from tests.fixtures_people import StandingClock

CARD = "/approvals/SR-000001"
ActorOf = Callable[..., Actor]


def remarks(story: Story) -> list[Remark]:
    with story.db.reading() as session:
        return list(session.scalars(select(Remark).order_by(Remark.id)))


def asked(story: Story, actor: Actor, request_id: int, question: str = "Which team?") -> int:
    with story.db.transaction() as session:
        remark = ask(session, actor, request_id, question=question, seal=story.see(request_id).seal)
        session.flush()
        return remark.id


def answered(story: Story, actor: Actor, request_id: int, remark_id: int, text: str = "Sales") -> None:
    with story.db.transaction() as session:
        answer(session, actor, request_id, remark_id, text=text)


def mails(story: Story, event: str) -> list[Message]:
    with story.db.reading() as session:
        return list(session.scalars(select(Message).where(Message.event == event).order_by(Message.id)))


def test_asking_hands_the_baton_to_the_requester_and_the_answer_brings_it_back(
    story: Story, actor_of: ActorOf, clock: StandingClock
) -> None:
    request_id = story.planned(OWNER_STAGE)
    due, promised = story.stages(request_id)[0].due_at, story.see(request_id).promised_by
    assert due
    assert promised
    remark = asked(story, actor_of(story.cast.owner), request_id)
    request = story.see(request_id)
    assert (request.baton, request.baton_due, request.paused_since) == ("Rosa Requester", None, clock())
    assert request.state is State.PENDING
    clock.pass_time(hours=3)
    answered(story, actor_of(story.cast.requester), request_id, remark)
    request = story.see(request_id)
    assert request.paused_since is None
    assert request.paused_minutes == 180
    assert request.baton == "Olga Owner", "the same person, and not everybody who could decide"
    # Asked on Wednesday at ten and due on Thursday at ten: three hours of work later.
    assert due == datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    assert story.stages(request_id)[0].due_at == datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
    assert request.baton_due == story.stages(request_id)[0].due_at
    assert request.promised_by
    assert (request.promised_by - promised).total_seconds() == 3 * 3600
    (question,) = mails(story, "question_asked")
    assert (question.person_id, "Which team?" in question.text) == (story.cast.requester, True)
    assert "/requests/SR-000001" in question.text
    (reply,) = mails(story, "question_answered")
    assert (reply.person_id, "Sales" in reply.text) == (story.cast.owner, True)
    assert "/approvals/SR-000001" in reply.text
    with story.db.reading() as session:
        entries = session.scalars(
            select(Entry).where(Entry.tag.startswith("question:")).order_by(Entry.number)
        )
        told = [(entry.tag, entry.actor) for entry in entries]
    assert told == [
        ("question:asked", f"person:{story.cast.owner}"),
        ("question:answered", f"person:{story.cast.requester}"),
    ]


def test_the_answer_comes_back_on_a_clock_that_never_stands_still(
    story: Story, actor_of: ActorOf, clock: StandingClock
) -> None:
    def ticking() -> datetime:
        clock.pass_time(microseconds=1)
        return clock()

    story.db.info["clock"] = ticking
    request_id = story.planned(OWNER_STAGE)
    due = story.stages(request_id)[0].due_at
    assert due
    remark = asked(story, actor_of(story.cast.owner), request_id)
    clock.pass_time(minutes=30)
    answered(story, actor_of(story.cast.requester), request_id, remark)
    assert story.see(request_id).baton == "Olga Owner"
    assert story.stages(request_id)[0].due_at == due + timedelta(minutes=30)


@pytest.mark.on_sqlite
def test_what_was_said_is_only_committed_to_in_the_ledger(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    asked(story, actor_of(story.cast.owner), request_id, "Is Bo the new lead?")
    with story.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "question:asked")).one()
    assert "Bo" not in entry.body
    assert json.loads(entry.body)["facts"]["seal"] == story.see(request_id).seal


@pytest.mark.on_sqlite
@pytest.mark.parametrize("person", ["requester", "outsider", "security"])
def test_only_whoever_may_decide_now_asks(story: Story, actor_of: ActorOf, person: str) -> None:
    request_id = story.planned(OWNER_STAGE)
    with pytest.raises(NotYours):
        asked(story, actor_of(story.cast.ids[person]), request_id)
    assert story.see(request_id).paused_since is None


@pytest.mark.on_sqlite
def test_only_the_requester_answers_and_only_once(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    remark = asked(story, actor_of(story.cast.owner), request_id)
    with pytest.raises(Forbidden):
        answered(story, actor_of(story.cast.second_owner), request_id, remark)
    answered(story, actor_of(story.cast.requester), request_id, remark)
    with pytest.raises(Conflict):
        answered(story, actor_of(story.cast.requester), request_id, remark)


@pytest.mark.on_sqlite
def test_asking_about_what_has_changed_meanwhile_is_a_conflict(story: Story, actor_of: ActorOf) -> None:
    request_id = story.planned(OWNER_STAGE)
    with pytest.raises(SealChanged), story.db.transaction() as session:
        ask(session, actor_of(story.cast.owner), request_id, question="Why?", seal="sha256:" + "0" * 64)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("text", ["", "  ", "a\u202eb", "a" * 2001])
def test_a_question_is_words_that_can_be_read(story: Story, actor_of: ActorOf, text: str) -> None:
    request_id = story.planned(OWNER_STAGE)
    with pytest.raises(FieldError):
        asked(story, actor_of(story.cast.owner), request_id, text)


def test_one_question_a_person_at_a_time_and_the_clock_waits_for_the_last_answer(
    story: Story, actor_of: ActorOf, clock: StandingClock
) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 2})
    first = asked(story, actor_of(story.cast.owner), request_id)
    with pytest.raises(Conflict, match="wait for the answer"):
        asked(story, actor_of(story.cast.owner), request_id)
    second = asked(story, actor_of(story.cast.second_owner), request_id, "Until when?")
    requester = actor_of(story.cast.requester)
    answered(story, requester, request_id, first)
    assert story.see(request_id).paused_since == clock()
    assert story.see(request_id).baton == "Rosa Requester"
    answered(story, requester, request_id, second)
    assert story.see(request_id).paused_since is None
    assert story.see(request_id).baton == "2 of Olga Owner or Otto Owner"


@pytest.mark.parametrize("how", ["approve", "deny", "other", "withdraw", "edit"])
def test_a_question_that_the_request_outlives_is_closed_and_the_clock_runs(
    story: Story, actor_of: ActorOf, how: str
) -> None:
    request_id = story.planned(OWNER_STAGE)
    owner = actor_of(story.cast.owner)
    remark = asked(story, owner, request_id)
    with story.db.transaction() as session:
        if how == "withdraw":
            withdraw(session, actor_of(story.cast.requester), request_id)
        elif how == "edit":
            answers = {**story.see(request_id).answers, "role": "reader"}
            edit(session, actor_of(story.cast.requester), request_id, answers)
        else:
            who = actor_of(story.cast.second_owner) if how == "other" else owner
            verdict = Verdict.DENY if how == "deny" else Verdict.APPROVE
            story.decide_in(session, who, request_id, verdict, "Because")
    assert [remark.state for remark in remarks(story)] == [RemarkState.MOOT]
    assert story.see(request_id).paused_since is None
    assert story.see(request_id).baton != "Rosa Requester"
    with pytest.raises(Conflict):
        answered(story, actor_of(story.cast.requester), request_id, remark)


@pytest.mark.on_sqlite
def test_an_asker_who_approves_without_the_answer_leaves_the_stage_to_the_others(
    story: Story, actor_of: ActorOf
) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 2})
    asked(story, actor_of(story.cast.owner), request_id)
    with story.db.transaction() as session:
        story.decide_in(session, actor_of(story.cast.owner), request_id, Verdict.APPROVE)
    assert [remark.state for remark in remarks(story)] == [RemarkState.MOOT]
    assert story.see(request_id).baton == "Otto Owner"
    assert story.see(request_id).paused_since is None


@pytest.mark.on_sqlite
def test_asking_and_answering_on_the_pages(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    manager, requester = (web.browser(web.story.cast.ids[person]) for person in ("manager", "requester"))
    fields = {key: value for key, value in manager.form(CARD).items() if key in {"csrf_token", "seal"}}
    origin = {"Origin": manager.origin}
    empty = manager.client.post(f"{CARD}/question", data={**fields, "question": ""}, headers=origin)
    assert empty.status_code == 422
    assert empty.get_data(as_text=True).count("Write what you want to know.") == 2
    sent = manager.client.post(
        f"{CARD}/question", data={**fields, "question": "Which <b>team</b>?"}, headers=origin
    )
    assert (sent.status_code, sent.location) == (303, CARD)
    assert "Waiting for the answer" in manager.get(CARD).get_data(as_text=True)
    page = requester.get("/requests/SR-000001").get_data(as_text=True)
    assert "Milo Manager asks you" in page
    assert "Which &lt;b&gt;team&lt;/b&gt;?" in page
    assert "The clock stands still since" in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "remark": "1", "answer": "The Lisbon team"}
    answer_page = requester.client.post("/requests/SR-000001/answer", data=form, headers=origin)
    assert answer_page.status_code == 303
    page = requester.get("/requests/SR-000001").get_data(as_text=True)
    assert "Answered; the clock runs again" in page
    assert "The Lisbon team" in manager.get(CARD).get_data(as_text=True)
    assert manager.press(CARD, "approve").status_code == 303
    assert web.story.see(1).state is State.SCHEDULED


def test_nobody_else_sees_or_answers_on_the_pages(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    outsider = web.browser(web.story.cast.outsider)
    token = outsider.get("/approvals").get_data(as_text=True)
    assert token
    manager = web.browser(web.story.cast.manager)
    fields = manager.form(CARD)
    other = web.browser(web.story.cast.outsider)
    page = other.get("/catalogue").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    for path, data in (
        (f"{CARD}/question", {"question": "x", "seal": fields["seal"]}),
        ("/requests/SR-000001/answer", {"remark": "1", "answer": "x"}),
        ("/requests/SR-000001/comments", {"comment": "x"}),
        ("/requests/SR-000001/proposal", {"remark": "1", "decision": "accept"}),
        (f"{CARD}/proposal", {"_reason": "x"}),
        (f"{CARD}/reassignment", {"person": "1", "reason": "x"}),
    ):
        answer = other.client.post(path, data={"csrf_token": token, **data}, headers={"Origin": other.origin})
        assert answer.status_code == 404, path
    assert other.get(f"{CARD}/proposal").status_code == 404
    assert remarks(web.story) == []
