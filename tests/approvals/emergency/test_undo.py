"""Undoing what was not kept: it is said to be gone only when it is."""

import copy

import pytest

from approvals.emergency.model import Finding, ReviewState
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.set_aside import try_task_again
from catalog.requests.states import State
from catalog.requests.withdraw import withdraw
from tests.fixtures_emergency import urgent
from tests.fixtures_manual import by_hand

WELDED = "It is welded on."


@pytest.fixture
def two_words(urgency):
    """Puts two words up, of which the second brings nothing to life; `started` gives its request."""
    fulfilment = copy.deepcopy(urgent()["fulfilment"])
    fulfilment[1]["connector"] = "shelf"
    urgency.publish(
        fulfilment=fulfilment,
        emergency=urgent()["emergency"] | {"first_aid": {"steps": ["first", "second"]}},
    )
    urgency.hands.shelf.brings_to_life = lambda plan: plan.document["word"] == "Rosa"
    return urgency


@pytest.mark.on_sqlite
def test_what_brought_nothing_to_life_is_taken_back_though_the_request_ended_meanwhile(
    two_words, cast, clock
):
    request_id = two_words.started(second="Ruth")
    two_words.say(request_id, cast.manager, Finding.WRONG)
    two_words.hands.shelf.trouble["revert"] = ConnectorError("The line is down.")
    two_words.hands.work()
    assert two_words.request(request_id).state is State.ENDED
    assert set(two_words.hands.shelf.shelf) == {"Ruth"}
    assert two_words.review(request_id).undone_at is None
    clock.pass_time(hours=1)
    two_words.hands.work()
    assert two_words.hands.shelf.shelf == {}
    assert two_words.review(request_id).undone_at is not None


def test_what_cannot_be_taken_back_is_told_and_stays_owed_until_an_operator_has_it_tried_again(
    two_words, cast, actor_of
):
    request_id = two_words.started(second="Ruth")
    two_words.say(request_id, cast.manager, Finding.WRONG)
    two_words.hands.shelf.trouble["revert"] = ConnectorError(WELDED, permanent=True)
    two_words.hands.work()
    assert two_words.review(request_id).undone_at is None
    assert two_words.hands.tags().count("step:not-reverted") == 1
    assert cast.operator in two_words.hands.mailed("operator_attention")
    _try_again(two_words, cast, actor_of)
    assert two_words.hands.shelf.shelf == {}
    assert two_words.review(request_id).undone_at is not None


def test_a_stopped_step_that_cannot_be_taken_back_is_told_and_stays_owed(
    urgency, cast, actor_of, monkeypatch
):
    emergency = urgent()["emergency"] | {"first_aid": {"steps": ["make"]}}
    urgency.hands.publish({**by_hand(), "kind": "emergency", "emergency": emergency})
    request_id = urgency.started()
    assert urgency.request(request_id).state is State.FULFILLING

    def refuse(*_):
        raise ConnectorError(WELDED, permanent=True)

    urgency.say(request_id, cast.manager, Finding.WRONG)
    with monkeypatch.context() as patched:
        patched.setattr(ManualConnector, "revert", refuse)
        urgency.hands.work()
    assert urgency.request(request_id).state is State.FAILED
    assert urgency.review(request_id).undone_at is None
    assert urgency.hands.tags().count("step:not-reverted") == 1
    _try_again(urgency, cast, actor_of)
    assert urgency.review(request_id).undone_at is not None


@pytest.mark.on_sqlite
def test_withdrawing_what_failed_half_way_leaves_its_review_open(two_words, cast, actor_of):
    request_id = two_words.pending()
    two_words.hands.approve(request_id, cast.security, cast.head)
    two_words.hands.shelf.trouble["apply"] = ConnectorError("The shelf is full.", permanent=True)
    two_words.hands.work()
    assert two_words.request(request_id).state is State.FAILED
    with two_words.db.transaction() as session:
        withdraw(session, actor_of(cast.requester), request_id)
    assert two_words.request(request_id).state is State.WITHDRAWN
    assert two_words.review(request_id).state is ReviewState.OPEN


def _try_again(urgency, cast, actor_of):
    aside = urgency.hands.jobs("undo_unreviewed")[-1]
    with urgency.db.transaction() as session:
        try_task_again(session, actor_of(cast.operator), aside.id)
    urgency.hands.work()
