"""Fulfilment: exactly what was sealed, once, read back; stopped where the world has moved."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.model import Artefact, StepState
from catalog.requests import events, tags
from catalog.requests.states import State
from portal.core.errors import Conflict, Unavailable


def test_an_approved_request_is_carried_out_read_back_and_recorded(shelves, cast, actor_of):
    request_id = shelves.fulfilled(actor_of(cast.requester), second="world")

    assert shelves.shelf.acts == [("put", "hello")]
    assert shelves.rack.acts == [("put", "world")]
    request = shelves.request(request_id)
    assert request.fulfilled_at is not None
    assert request.baton == ""
    steps = shelves.steps(request_id)
    assert [step.state for step in steps] == [StepState.DONE, StepState.DONE]
    assert steps[0].read_back["facts"] == {"word": "hello", "there": True}
    assert [(e.key, e.state) for e in shelves.entitlements(request_id)] == [
        ("shelf:hello", EntitlementState.LIVE),
        ("rack:world", EntitlementState.LIVE),
    ]
    assert shelves.tags(request_id) == [
        tags.SUBMITTED,
        tags.PREPARED,
        tags.FULFILMENT_STARTED,
        *[tags.STEP_APPLIED, tags.STEP_READ_BACK, tags.ENTITLEMENT_GRANTED] * 2,
        tags.FULFILLED,
    ]
    with shelves.db.reading() as session:
        files = session.scalars(select(Artefact).order_by(Artefact.name)).all()
        assert [(file.name, file.content) for file in files] == [
            ("hello.txt", b"hello"),
            ("world.txt", b"world"),
        ]
    assert shelves.told[-1] == events.RequestFulfilled(request_id)


@pytest.mark.on_sqlite
def test_what_is_there_already_is_recorded_without_acting(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))
    shelves.shelf.shelf["hello"] = "somebody else"

    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.acts == []
    assert [e.key for e in shelves.entitlements(request_id)] == ["shelf:hello"]


@pytest.mark.on_sqlite
def test_a_target_that_moved_on_stops_the_fulfilment_and_asks_again(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))
    first_seal = shelves.request(request_id).seal
    shelves.shelf.generation = 2

    shelves.work()

    request = shelves.request(request_id)
    assert shelves.shelf.acts == []
    assert request.state is State.PENDING
    assert request.revision == 2
    assert request.seal not in {first_seal, ""}
    replanned = [told for told in shelves.told if isinstance(told, events.RequestReplanned)]
    assert [told.request_id for told in replanned] == [request_id]
    assert "has changed since this was approved" in replanned[0].why
    assert tags.STOPPED in shelves.tags(request_id)
    shelves.approve(request_id)
    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.acts == [("put", "hello")]


def test_a_drift_in_the_second_step_undoes_the_first_before_asking_again(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.generation = 2

    shelves.work()

    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert shelves.rack.acts == []
    assert shelves.request(request_id).state is State.PENDING
    assert [e.state for e in shelves.entitlements(request_id)] == [EntitlementState.ENDED]


@pytest.mark.on_sqlite
def test_a_permanent_refusal_undoes_earlier_steps_and_fails(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)

    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.FAILED
    assert request.outcome == "The rack takes no words."
    assert request.baton == "The operators"
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert [step.state for step in shelves.steps(request_id)] == [StepState.REVERTED, StepState.FAILED]
    assert shelves.told[-1] == events.RequestFailed(request_id)
    assert [e.state for e in shelves.entitlements(request_id)] == [EntitlementState.ENDED]


def test_a_step_that_cannot_be_undone_is_named_to_the_operators(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    shelves.shelf.trouble["revert"] = ConnectorError("The shelf is locked.", permanent=True)

    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.FAILED
    assert "The rack takes no words." in request.outcome
    assert "“Put the word up” was done and could not be undone" in request.outcome
    assert "The shelf is locked." in request.outcome
    assert tags.STEP_NOT_REVERTED in shelves.tags(request_id)


@pytest.mark.on_sqlite
def test_an_operator_may_have_a_failed_request_tried_again(shelves, cast, actor_of):
    from catalog.fulfilment.orders import retry

    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    shelves.work()
    keys = {step.key for step in shelves.steps(request_id)}

    with shelves.db.transaction() as session:
        retry(session, actor_of(cast.operator), shelves.request(request_id).reference)
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.shelf.keys() == {"hello"}
    assert shelves.rack.shelf.keys() == {"world"}
    again = [step for step in shelves.steps(request_id) if step.attempt == 2]
    assert [step.state for step in again] == [StepState.DONE, StepState.DONE]
    assert keys.isdisjoint(step.key for step in again)


def test_a_passing_trouble_is_tried_again_and_acts_once(shelves, cast, actor_of, clock):
    request_id = shelves.approved(actor_of(cast.requester))
    shelves.shelf.trouble["apply"] = ConnectorError("The shelf does not answer.")

    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLING
    assert [step.state for step in shelves.steps(request_id)] == [StepState.APPLYING]
    clock.pass_time(minutes=1)
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.acts == [("put", "hello")]


@pytest.mark.on_sqlite
def test_a_target_that_acts_and_then_dies_is_found_out_by_reading(shelves, cast, actor_of, clock):
    request_id = shelves.approved(actor_of(cast.requester))
    shelves.shelf.after = True
    shelves.shelf.trouble["apply"] = ConnectorError("The line was cut.")

    shelves.work()
    clock.pass_time(minutes=1)
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.calls.count("apply") == 1
    assert shelves.steps(request_id)[0].outcome["found"] == "after-interruption"


@pytest.mark.on_sqlite
def test_a_refusal_after_the_effect_counts_as_done(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))
    shelves.shelf.after = True
    shelves.shelf.trouble["apply"] = ConnectorError("It was there before.", permanent=True)

    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_changed_answers_do_not_pass_the_seal(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))
    with shelves.db.transaction() as session:
        request = session.get_one(type(shelves.request(request_id)), request_id)
        request.answers = {**request.answers, "word": "root"}

    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.FAILED
    assert "not what was approved" in request.outcome
    assert shelves.shelf.calls.count("apply") == 0
    assert tags.SEAL_MISMATCH in shelves.tags(request_id)


@pytest.mark.on_sqlite
def test_a_step_whose_plan_was_swapped_does_not_pass(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))
    with shelves.db.transaction() as session:
        step = session.merge(shelves.steps(request_id)[0])
        step.plan = {**step.plan, "document": {**step.plan["document"], "word": "root"}}

    shelves.work()

    assert shelves.request(request_id).state is State.FAILED
    assert shelves.shelf.calls.count("apply") == 0


@pytest.mark.on_sqlite
def test_an_approval_that_no_longer_holds_stops_it_before_anything_is_done(shelves, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester))

    def refuse(session, event):
        raise Conflict("Milo Manager is no longer the line manager.")

    shelves.db.handlers[events.FulfilmentStarting].append(refuse)
    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.PENDING
    assert request.revision == 2
    assert shelves.shelf.acts == []
    stopped = [told for told in shelves.told if isinstance(told, events.RequestReplanned)]
    assert [told.why for told in stopped] == ["Milo Manager is no longer the line manager."]


@pytest.mark.on_sqlite
def test_a_directory_that_does_not_answer_is_never_a_remembered_yes(shelves, cast, actor_of, clock):
    request_id = shelves.approved(actor_of(cast.requester))
    answers = [Unavailable("The directory does not answer."), None]

    def ask(session, event):
        if (error := answers.pop(0)) is not None:
            raise error

    shelves.db.handlers[events.FulfilmentStarting].append(ask)
    shelves.work()
    assert shelves.request(request_id).state is State.SCHEDULED
    clock.pass_time(minutes=1)
    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLED


def test_after_five_tries_the_operators_hold_the_baton_and_may_put_it_back(shelves, cast, actor_of, clock):
    from catalog.fulfilment.set_aside import try_task_again
    from portal.jobs.operators import tasks_set_aside

    request_id = shelves.approved(actor_of(cast.requester))
    for _ in range(5):
        shelves.shelf.trouble["plan"] = ConnectorError("The shelf does not answer.")
        shelves.work()
        clock.pass_time(minutes=10)
    request = shelves.request(request_id)
    assert (request.state, request.baton) == (State.FULFILLING, "The operators")
    with shelves.db.transaction() as session:
        (task,) = tasks_set_aside(session)
        assert task.last_error == "The shelf does not answer."
        try_task_again(session, actor_of(cast.operator), task.id)
    shelves.shelf.trouble.clear()
    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLED
