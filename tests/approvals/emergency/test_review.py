"""The review of an emergency: kept, found wrong, or missed and undone by its inverse."""

import copy
from datetime import date, timedelta

import pytest

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.delegation.give import Wish, give
from approvals.emergency.model import Finding, ReviewState
from catalog.fulfilment.connectors.manual.doing import Said, finish
from catalog.fulfilment.orders import retry
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.identity.step_up import StepUpNeeded
from tests.fixtures_emergency import urgent
from tests.fixtures_manual import by_hand


@pytest.mark.on_sqlite
def test_a_review_that_is_kept_leaves_everything_in_place(urgency, cast, clock):
    request_id = urgency.started()
    urgency.say(request_id, cast.manager, Finding.RIGHT)
    review = urgency.review(request_id)
    assert review.state is ReviewState.RIGHT
    clock.pass_time(hours=30)
    urgency.hands.work()
    assert urgency.request(request_id).state is State.FULFILLED
    assert "Rosa" in urgency.hands.shelf.shelf
    told = set(urgency.hands.mailed("review_ended"))
    assert {cast.requester, cast.security, cast.head, cast.manager, cast.operator} <= told


@pytest.mark.on_sqlite
def test_one_who_finds_it_wrong_has_it_undone_now(urgency, cast):
    request_id = urgency.started()
    urgency.say(request_id, cast.manager, Finding.WRONG, "It stops the orders.")
    assert urgency.review(request_id).state is ReviewState.WRONG
    urgency.hands.work()
    assert urgency.hands.shelf.acts == [("put", "Rosa"), ("take", "Rosa")]
    request = urgency.request(request_id)
    assert request.state is State.ENDED
    assert request.outcome == "A reviewer found that it was not right, so it is undone."
    assert urgency.review(request_id).undone_at is not None
    assert {"review:found-wrong", "entitlement:ended", "review:undone"} <= set(urgency.hands.tags())


@pytest.mark.on_sqlite
def test_not_reviewed_in_time_it_is_undone_and_said_everywhere(urgency, cast, clock):
    request_id = urgency.started()
    clock.pass_time(hours=12, seconds=1)
    urgency.hands.work()
    assert urgency.hands.mailed("review_reminder") == [cast.manager]
    clock.pass_time(hours=12)
    with pytest.raises(Conflict, match="review is over"):
        urgency.say(request_id, cast.manager, Finding.RIGHT)
    urgency.hands.work()
    review = urgency.review(request_id)
    assert review.state is ReviewState.LAPSED
    assert review.undone_at is not None
    assert urgency.hands.shelf.shelf == {}
    assert urgency.request(request_id).state is State.ENDED
    told = set(urgency.hands.mailed("review_ended"))
    assert {cast.requester, cast.security, cast.head, cast.manager, cast.operator} <= told
    tags = urgency.hands.tags()
    assert {"review:opened", "review:lapsed", "entitlement:ended", "review:undone"} <= set(tags)


def test_what_people_did_by_hand_is_undone_by_people(urgency, cast, clock, actor_of):
    content = by_hand()
    emergency = copy.deepcopy(urgent()["emergency"]) | {"first_aid": {"steps": ["make"]}}
    urgency.hands.publish({**content, "kind": "emergency", "emergency": emergency})
    request_id = urgency.pending()
    urgency.hands.approve(request_id, cast.security, cast.head)
    urgency.hands.work()
    _finish(urgency, cast, actor_of)
    assert urgency.request(request_id).state is State.FULFILLED
    clock.pass_time(hours=24, seconds=1)
    urgency.hands.work()
    task = urgency.hands.tasks()[-1]
    assert (task.action, task.title) == ("undo", "Undo: Make a badge for Rosa")
    assert urgency.review(request_id).undone_at is None
    _finish(urgency, cast, actor_of)
    assert urgency.request(request_id).state is State.ENDED
    assert urgency.review(request_id).undone_at is not None


def test_what_is_still_being_done_is_stopped_and_cannot_be_tried_again_by_the_same_approval(
    urgency, cast, clock, actor_of
):
    content = by_hand()
    content["fulfilment"].insert(
        0,
        {
            "step": "word",
            "name": "Put the word up",
            "connector": "shelf",
            "action": "put",
            "with": {"word": {"answer": "word"}},
        },
    )
    emergency = copy.deepcopy(urgent()["emergency"]) | {"first_aid": {"steps": ["word", "make"]}}
    urgency.hands.publish({**content, "kind": "emergency", "emergency": emergency})
    request_id = urgency.pending()
    urgency.hands.approve(request_id, cast.security, cast.head)
    urgency.hands.work()
    assert urgency.request(request_id).state is State.FULFILLING
    urgency.say(request_id, cast.manager, Finding.WRONG)
    urgency.hands.work()
    request = urgency.request(request_id)
    assert request.state is State.FAILED
    assert urgency.hands.shelf.acts == [("put", "Rosa"), ("take", "Rosa")]
    assert [task.state.value for task in urgency.hands.tasks()] == ["cancelled"]
    assert urgency.review(request_id).undone_at is not None
    with urgency.db.transaction() as session:
        retry(session, actor_of(cast.operator), request.reference)
    urgency.hands.work()
    assert urgency.request(request_id).state is State.PENDING


def test_only_who_was_passed_over_speaks_once_with_a_reason_and_a_fresh_sign_in(
    urgency, cast, clock, actor_of
):
    stages = [*copy.deepcopy(urgent()["route"]["stages"])]
    stages.append({"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}, "quorum": 2})
    urgency.publish(route={"stages": stages})
    request_id = urgency.started()
    for person in (cast.security, cast.requester, cast.outsider):
        with pytest.raises(Forbidden):
            urgency.say(request_id, person, Finding.RIGHT)
    with pytest.raises(FieldError):
        urgency.say(request_id, cast.manager, Finding.RIGHT, "ok")
    urgency.say(request_id, cast.manager, Finding.RIGHT)
    with pytest.raises(Conflict, match="already said"):
        urgency.say(request_id, cast.manager, Finding.WRONG)
    assert urgency.review(request_id).state is ReviewState.OPEN
    urgency.say(request_id, cast.owner, Finding.RIGHT)
    assert urgency.review(request_id).state is ReviewState.OPEN
    clock.pass_time(minutes=16)
    with pytest.raises(StepUpNeeded):
        urgency.say_as(actor_of(cast.second_owner, signed_in=clock() - timedelta(minutes=16)), request_id)
    urgency.say(request_id, cast.second_owner, Finding.RIGHT)
    assert urgency.review(request_id).state is ReviewState.RIGHT


@pytest.mark.on_sqlite
def test_a_reviewer_to_whom_the_requester_has_delegated_since_no_longer_speaks(urgency, cast, actor_of):
    urgency.join(cast.requester, "crm-owners")
    stages = [{"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}, "target": "8h"}]
    urgency.publish(route={"stages": stages})
    request_id = urgency.started()
    today = date(2026, 11, 18)
    with urgency.db.transaction() as session:
        wish = Wish("olga.owner", today, today, every=True)
        give(session, actor_of(cast.requester), wish, settings=urgency.hands.portal.settings)
    with pytest.raises(Forbidden):
        urgency.say(request_id, cast.owner, Finding.RIGHT)
    urgency.say(request_id, cast.second_owner, Finding.RIGHT)
    assert urgency.review(request_id).state is ReviewState.RIGHT


def test_a_denial_before_anything_began_leaves_nothing_to_review(urgency, cast, actor_of):
    request_id = urgency.pending()
    urgency.hands.approve(request_id, cast.security, cast.head)
    with urgency.db.transaction() as session:
        seal = urgency.request(request_id).seal
        decide(
            session,
            actor_of(cast.owner),
            request_id,
            verdict=Verdict.DENY,
            comment="It can wait.",
            seal=seal,
            settings=urgency.hands.portal.settings,
        )
    assert urgency.request(request_id).state is State.REJECTED
    assert urgency.review(request_id).state is ReviewState.VOID
    assert urgency.hands.shelf.acts == []


def _finish(urgency, cast, actor_of):
    task = urgency.hands.tasks()[-1]
    with urgency.db.transaction() as session:
        ticked = frozenset(range(1, 4)) if task.action == "do" else frozenset({1})
        finish(session, actor_of(cast.owner), task.id, Said(ticked=ticked))
    urgency.hands.work()
