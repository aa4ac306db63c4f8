"""A fulfilment that does not get on: what operators may do about it, alone and by two, and who comes too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.failures.acting import try_again, undo_all
from catalog.fulfilment.failures.by_hand import Claim, claim, confirm, decline
from catalog.fulfilment.failures.situation import situation_of
from catalog.fulfilment.model import ByHand, StepState
from catalog.fulfilment.whereabouts import whereabouts
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.identity.step_up import StepUpNeeded
from portal.jobs.operators import tasks_set_aside

PROOF = "Put on the rack by hand, see the photograph in the cellar's log."
REFUSAL = ConnectorError("The rack takes no words.", permanent=True)
LOCKED = ConnectorError("The shelf is locked.", permanent=True)


@pytest.fixture
def operators(cast, actor_of):
    """Two of them."""
    return actor_of(cast.operator), actor_of(cast.security)


@pytest.fixture
def failed(shelves, cast, actor_of):
    """A request whose second step was refused; its first one is undone."""
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = REFUSAL
    shelves.work()
    assert shelves.request(request_id).state is State.FAILED
    return request_id


@pytest.fixture
def half_done(shelves, cast, actor_of):
    """A request whose second step was refused, and whose first one could not be undone."""
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = REFUSAL
    shelves.shelf.trouble["revert"] = LOCKED
    shelves.work()
    assert [step.state for step in shelves.steps(request_id)] == [StepState.NOT_REVERTED, StepState.FAILED]
    return request_id


@pytest.fixture
def stuck(shelves, cast, actor_of, clock):
    """A request whose second step's target did not answer in five tries."""
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    for _ in range(5):
        shelves.rack.trouble["plan"] = ConnectorError("The rack does not answer.")
        shelves.work()
        clock.pass_time(minutes=10)
    shelves.rack.trouble.clear()
    with shelves.db.reading() as session:
        assert [task.kind for task in tasks_set_aside(session)] == ["do_step"]
    return request_id


def seen_by(shelves, request_id) -> str:
    with shelves.db.reading() as session:
        return situation_of(session, session.get_one(Request, request_id)).seen


def press(shelves, button, actor, request_id, *more, seen=None):
    reference = shelves.request(request_id).reference
    with shelves.db.transaction() as session:
        return button(
            session,
            actor,
            reference,
            *(more or (seen or seen_by(shelves, request_id),)),
            settings=shelves.settings,
        )


def say_done(shelves, actor, request_id, position, *, proof=PROOF):
    (step,) = [step for step in shelves.steps(request_id) if step.position == position and step.attempt == 1]
    return press(shelves, claim, actor, request_id, Claim(step.id, seen_by(shelves, request_id), proof))


@pytest.mark.on_sqlite
def test_every_step_says_whether_it_is_there(shelves, half_done):
    assert [whereabouts(step) for step in shelves.steps(half_done)] == [
        "Done, and it could not be undone. It is still there, and an operator must take it back: The shelf.",
        "Not done. Nothing of it is there: The rack.",
    ]


@pytest.mark.on_sqlite
def test_what_is_left_is_undone_when_an_operator_says_so(shelves, half_done, operators):
    press(shelves, undo_all, operators[0], half_done)
    assert shelves.request(half_done).baton == "Countersign"
    shelves.work()

    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert [step.state for step in shelves.steps(half_done)] == [StepState.REVERTED, StepState.FAILED]
    assert [e.state for e in shelves.entitlements(half_done)] == [EntitlementState.ENDED]
    request = shelves.request(half_done)
    assert (request.state, request.baton) == (State.FAILED, "The operators")
    assert shelves.tags(half_done)[-3:] == [tags.UNDO_ASKED, tags.ENTITLEMENT_ENDED, tags.STEP_REVERTED]


@pytest.mark.on_sqlite
def test_another_attempt_takes_over_what_an_earlier_one_left_and_undoes_it_too(shelves, half_done, operators):
    shelves.rack.trouble["apply"] = REFUSAL
    press(shelves, try_again, operators[0], half_done)
    shelves.work()

    again = [step for step in shelves.steps(half_done) if step.attempt == 2]
    assert [step.state for step in again] == [StepState.REVERTED, StepState.FAILED]
    assert again[0].outcome["found"] == "earlier-attempt"
    assert shelves.shelf.shelf == {}


def test_of_two_operators_who_press_different_buttons_one_comes_too_late(shelves, half_done, operators):
    seen = seen_by(shelves, half_done)
    press(shelves, undo_all, operators[0], half_done, seen=seen)
    with pytest.raises(Conflict):
        press(shelves, try_again, operators[1], half_done, seen=seen)
    with pytest.raises(Conflict):
        press(shelves, try_again, operators[1], half_done)  # while it is being undone
    shelves.work()
    press(shelves, try_again, operators[1], half_done)
    shelves.work()
    assert shelves.request(half_done).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_a_step_that_does_not_get_on_is_given_up_and_the_rest_is_undone(shelves, stuck, operators):
    press(shelves, undo_all, operators[0], stuck)
    shelves.work()

    request = shelves.request(stuck)
    assert request.state is State.FAILED
    assert "An operator stopped “Put the second word up”" in request.outcome
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    with shelves.db.reading() as session:
        assert tasks_set_aside(session) == []


@pytest.mark.on_sqlite
def test_a_task_that_was_set_aside_is_put_back_by_the_same_button(shelves, stuck, operators):
    press(shelves, try_again, operators[0], stuck)
    shelves.work()
    assert shelves.request(stuck).state is State.FULFILLED
    assert shelves.shelf.acts == [("put", "hello")]


def test_done_by_hand_counts_when_a_second_operator_confirms_it(shelves, failed, operators):
    row = say_done(shelves, operators[0], failed, 2)
    shelves.rack.shelf["world"] = "by hand"
    shelves.work()
    with shelves.db.reading() as session:
        assert session.get_one(ByHand, row.id).target["present"] is True
    with pytest.raises(Conflict):
        press(shelves, try_again, operators[1], failed)  # nothing else while it waits
    with pytest.raises(Forbidden):
        press(shelves, confirm, operators[0], failed)
    assert shelves.request(failed).state is State.FAILED

    press(shelves, confirm, operators[1], failed)
    shelves.work()

    assert shelves.request(failed).state is State.FULFILLED
    assert shelves.rack.acts == []
    done = [step for step in shelves.steps(failed) if step.attempt == 2]
    assert [step.state for step in done] == [StepState.DONE, StepState.DONE]
    assert done[1].outcome["found"] == "by-hand"
    assert done[1].outcome["by_hand"] == {
        "by": f"person:{operators[0].person_id}",
        "confirmed_by": f"person:{operators[1].person_id}",
        "proof": PROOF,
        "target": "present",
    }
    assert whereabouts(done[1]) == "Done by hand, and confirmed by a second operator: The rack."
    live = [e.key for e in shelves.entitlements(failed) if e.state is EntitlementState.LIVE]
    assert live == ["shelf:hello", "rack:world"]
    assert shelves.tags(failed).count(tags.BY_HAND_CLAIMED) == 1
    assert shelves.tags(failed).count(tags.BY_HAND_CONFIRMED) == 1


@pytest.mark.on_sqlite
def test_what_the_target_cannot_show_still_counts_for_two_and_is_undone_with_the_rest(
    shelves, cast, actor_of, operators
):
    """The first step by hand, then a second one that is refused: the first is taken back by the connector."""
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.shelf.trouble["apply"] = ConnectorError("The shelf takes no words.", permanent=True)
    shelves.work()
    say_done(shelves, operators[0], request_id, 1)
    shelves.shelf.trouble["read_back"] = ConnectorError("The shelf cannot be read.", permanent=True)
    shelves.work()
    press(shelves, confirm, operators[1], request_id)
    shelves.shelf.trouble["read_back"] = ConnectorError("The shelf cannot be read.", permanent=True)
    shelves.rack.trouble["apply"] = REFUSAL
    shelves.work()

    again = [step for step in shelves.steps(request_id) if step.attempt == 2]
    assert [step.state for step in again] == [StepState.REVERTED, StepState.FAILED]
    assert again[0].read_back["present"] is False
    assert again[0].read_back["lines"][0]["text"] == "The shelf cannot be read."
    assert [e.state for e in shelves.entitlements(request_id)] == [EntitlementState.ENDED]


@pytest.mark.on_sqlite
def test_a_step_that_does_not_get_on_goes_on_from_what_was_done_by_hand(shelves, stuck, operators):
    say_done(shelves, operators[0], stuck, 2)
    press(shelves, confirm, operators[1], stuck)
    shelves.work()
    assert shelves.request(stuck).state is State.FULFILLED
    assert {step.attempt for step in shelves.steps(stuck)} == {1}
    assert shelves.rack.acts == []


@pytest.mark.on_sqlite
def test_undone_by_hand_ends_what_was_granted(shelves, half_done, operators):
    say_done(shelves, operators[0], half_done, 1)
    press(shelves, confirm, operators[1], half_done)
    shelves.work()
    (first, _second) = shelves.steps(half_done)
    assert first.state is StepState.REVERTED
    assert first.outcome["undone_by_hand"]["confirmed_by"] == f"person:{operators[1].person_id}"
    assert [e.state for e in shelves.entitlements(half_done)] == [EntitlementState.ENDED]
    assert shelves.request(half_done).baton == "The operators"


@pytest.mark.on_sqlite
def test_a_declined_claim_leaves_everything_as_it_was(shelves, failed, operators):
    say_done(shelves, operators[0], failed, 2)
    seen = seen_by(shelves, failed)
    press(shelves, decline, operators[1], failed, seen, "Nothing is on the rack.")
    assert shelves.request(failed).state is State.FAILED
    with pytest.raises(Conflict):
        press(shelves, confirm, operators[1], failed, seen=seen)
    press(shelves, try_again, operators[1], failed)
    shelves.work()
    assert shelves.request(failed).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_whoever_asks_proves_nothing_and_a_proof_has_words(shelves, failed, operators, cast, actor_of):
    with pytest.raises(Forbidden):
        say_done(shelves, actor_of(cast.requester), failed, 2)
    with pytest.raises(FieldError):
        say_done(shelves, operators[0], failed, 2, proof="done")
    with pytest.raises(Conflict):
        say_done(shelves, operators[0], failed, 1)  # it is undone, and not to be done


@pytest.mark.on_sqlite
@pytest.mark.parametrize("button", [try_again, undo_all, confirm])
def test_every_button_needs_a_fresh_sign_in(shelves, half_done, operators, button):
    stale = replace(operators[0], auth_time=operators[0].auth_time - timedelta(minutes=16))
    before = seen_by(shelves, half_done)
    with pytest.raises(StepUpNeeded) as needed:
        press(shelves, button, stale, half_done)
    assert needed.value.max_age == 15 * 60
    assert seen_by(shelves, half_done) == before


@pytest.mark.on_sqlite
@pytest.mark.parametrize(("connector", "action"), [("entitlements", "extend"), ("reconciliation", "adopt")])
def test_what_stands_in_the_record_alone_is_never_said_to_be_done_by_hand(
    shelves, operators, failed, connector, action
):
    with shelves.db.transaction() as session:
        step = situation_of(session, session.get_one(Request, failed)).steps[1]
        step.connector, step.plan = connector, {**step.plan, "connector": connector, "action": action}
    said = Claim(step.id, seen_by(shelves, failed), PROOF)
    reference = shelves.request(failed).reference
    with pytest.raises(Conflict), shelves.db.transaction() as session:
        claim(session, operators[0], reference, said, settings=shelves.settings)
