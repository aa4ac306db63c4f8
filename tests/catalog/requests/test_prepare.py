"""Preparing: the plan read live, the risk, the route and the seal, or a no with a sentence."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests import events, tags
from catalog.requests.jobs import prepare
from catalog.requests.seal import seal
from catalog.requests.states import State
from portal.core.errors import PortalError, Unavailable
from portal.jobs.model import Task, TaskState


@pytest.mark.on_sqlite
def test_a_prepared_request_has_plan_risk_route_and_seal(shelves, cast, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester), word="root", second="world")

    request = shelves.request(request_id)
    assert request.revision == 1
    assert [(plan["step"], plan["connector"], plan["document"]["word"]) for plan in request.plans] == [
        ("first", "shelf", "root"),
        ("second", "rack", "world"),
    ]
    assert request.risk == {
        "level": "medium",
        "score": 30,
        "reasons": [{"points": 30, "because": "It is a mighty word."}],
    }
    assert [stage["slug"] for stage in request.route] == ["manager"]
    with shelves.db.reading() as session:
        assert request.seal == seal(session.merge(request, load=False)) != ""
    assert shelves.shelf.acts == []
    assert shelves.told[-1] == events.RequestPlanned(request_id)
    assert shelves.tags(request_id) == [tags.SUBMITTED, tags.PREPARED]


@pytest.mark.on_sqlite
def test_what_the_target_warns_of_is_among_the_reasons_of_risk(shelves, cast, actor_of):
    shelves.shelf.shelf["hello"] = "somebody"
    request_id = shelves.prepared(actor_of(cast.requester))
    assert shelves.request(request_id).risk["reasons"] == [
        {"points": 0, "because": "“hello” is there already"}
    ]


@pytest.mark.on_sqlite
def test_what_is_allowed_already_is_refused_with_its_sentence(shelves, cast, actor_of):
    shelves.shelf.needless = lambda order: "This is already allowed by SR-000001."
    request_id = shelves.submitted(actor_of(cast.requester))

    shelves.work()

    request = shelves.request(request_id)
    assert (request.state, request.outcome) == (State.REFUSED, "This is already allowed by SR-000001.")
    assert shelves.mails() == [("request_refused", cast.requester)]


@pytest.mark.on_sqlite
def test_a_partly_new_order_is_not_refused(shelves, cast, actor_of):
    shelves.shelf.needless = lambda order: "This is already allowed by SR-000001."
    shelves.rack.needless = lambda order: ""
    shelves.prepared(actor_of(cast.requester), second="world")


@pytest.mark.on_sqlite
def test_what_a_target_can_never_do_is_refused_with_its_sentence(shelves, cast, actor_of):
    shelves.shelf.trouble["plan"] = ConnectorError("The shelf has no such word.", permanent=True)
    request_id = shelves.submitted(actor_of(cast.requester))

    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.REFUSED
    assert request.outcome == "The shelf has no such word."
    assert request.closed_at is not None
    assert request.baton == ""
    assert shelves.told[-1] == events.RequestRefused(request_id)
    assert shelves.mails() == [("request_refused", cast.requester)]
    assert shelves.tags(request_id) == [tags.SUBMITTED, tags.REFUSED]


@pytest.mark.on_sqlite
def test_a_route_that_resolves_to_nobody_is_refused_and_leaves_nothing_half_made(shelves, cast, actor_of):
    def nobody(session, event):
        raise PortalError("Nobody can decide the stage “Line manager” of this request.")

    shelves.db.handlers[events.RequestPlanned].append(nobody)
    request_id = shelves.submitted(actor_of(cast.requester))

    shelves.work()

    request = shelves.request(request_id)
    assert request.state is State.REFUSED
    assert request.outcome == "Nobody can decide the stage “Line manager” of this request."
    assert (request.plans, request.seal, request.revision) == ([], "", 0)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("kind", ["plan", "route"])
def test_a_passing_trouble_is_tried_again(shelves, cast, actor_of, clock, kind):
    if kind == "plan":
        shelves.shelf.trouble["plan"] = ConnectorError("The shelf does not answer.")
    else:
        troubles = [Unavailable("The directory does not answer."), None]

        def ask(session, event):
            if (trouble := troubles.pop(0)) is not None:
                raise trouble

        shelves.db.handlers[events.RequestPlanned].append(ask)
    request_id = shelves.submitted(actor_of(cast.requester))
    shelves.work()
    assert shelves.request(request_id).state is State.PREPARING
    clock.pass_time(minutes=1)
    shelves.work()
    assert shelves.request(request_id).state is State.PENDING


@pytest.mark.on_sqlite
def test_after_five_tries_the_operators_are_told(shelves, cast, actor_of, clock):
    request_id = shelves.submitted(actor_of(cast.requester))
    for _ in range(5):
        shelves.shelf.trouble["plan"] = ConnectorError("The shelf does not answer.")
        shelves.work()
        clock.pass_time(minutes=10)
    request = shelves.request(request_id)
    assert (request.state, request.baton) == (State.PREPARING, "The operators")
    assert shelves.mails() == [("operator_attention", cast.operator)]
    assert tags.SET_ASIDE in shelves.tags(request_id)


def test_prepared_twice_changes_nothing_more(shelves, cast, actor_of):
    """A worker that is killed after its last commit runs the task again."""
    request_id = shelves.prepared(actor_of(cast.requester))
    before = shelves.request(request_id)
    with shelves.db.transaction() as session:
        task = session.scalars(select(Task).where(Task.kind == "prepare")).one()
        task.state = TaskState.WAITING
    assert shelves.work() == 1
    after = shelves.request(request_id)
    assert (after.revision, after.seal, after.state) == (before.revision, before.seal, State.PENDING)
    assert shelves.tags(request_id).count(tags.PREPARED) == 1


def test_a_request_withdrawn_while_it_is_read_stays_withdrawn(shelves, cast, actor_of):
    from catalog.requests.withdraw import withdraw

    actor = actor_of(cast.requester)
    request_id = shelves.submitted(actor)
    plan = shelves.shelf.plan

    def withdraw_meanwhile(order):
        with shelves.db.transaction() as session:
            withdraw(session, actor, request_id)
        return plan(order)

    shelves.shelf.plan = withdraw_meanwhile
    shelves.work()
    assert shelves.request(request_id).state is State.WITHDRAWN
    assert tags.PREPARED not in shelves.tags(request_id)


@pytest.mark.on_sqlite
def test_a_connector_that_the_portal_lacks_is_said_in_words(shelves, cast, actor_of):
    from catalog.fulfilment.connectors.registry import Connectors

    request_id = shelves.submitted(actor_of(cast.requester))
    shelves.work(prepare=lambda job: prepare(job, connectors=Connectors([])))
    request = shelves.request(request_id)
    assert request.state is State.REFUSED
    assert "no connector “shelf”" in request.outcome
