"""Withdrawing: by the requester, while nothing is carried out."""

from __future__ import annotations

import threading

import pytest

from catalog.requests import events, tags
from catalog.requests.moves import get_locked, move
from catalog.requests.states import Move, State
from catalog.requests.withdraw import withdraw
from portal.core.errors import Conflict, FieldError, Forbidden


def withdraw_as(shelves, actor, request_id, reason=""):
    with shelves.db.transaction() as session:
        withdraw(session, actor, request_id, reason)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("state", ["submitted", "prepared", "approved"])
def test_the_requester_takes_it_back(shelves, cast, actor_of, state):
    actor = actor_of(cast.requester)
    request_id = getattr(shelves, state)(actor)

    withdraw_as(shelves, actor, request_id, "No longer needed.")

    request = shelves.request(request_id)
    assert (request.state, request.outcome, request.baton) == (State.WITHDRAWN, "No longer needed.", "")
    assert request.closed_at is not None
    assert shelves.told[-1] == events.RequestWithdrawn(request_id)
    assert shelves.tags(request_id)[-1] == tags.WITHDRAWN
    shelves.work()
    assert shelves.request(request_id).state is State.WITHDRAWN
    assert shelves.shelf.acts == []


@pytest.mark.on_sqlite
def test_nobody_else_does(shelves, cast, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester), person="ola.outsider")
    for person in (cast.outsider, cast.manager, cast.operator):
        with pytest.raises(Forbidden):
            withdraw_as(shelves, actor_of(person), request_id)
    assert shelves.request(request_id).state is State.PENDING


def test_not_once_it_is_fulfilled(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.fulfilled(actor)
    with pytest.raises(Conflict):
        withdraw_as(shelves, actor, request_id)
    assert shelves.request(request_id).state is State.FULFILLED


def test_not_while_it_is_carried_out(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.approved(actor)
    refused = []
    apply = shelves.shelf.apply

    def meanwhile(plan, key):
        try:
            withdraw_as(shelves, actor, request_id)
        except Conflict as conflict:
            refused.append(conflict.sentence)
        return apply(plan, key)

    shelves.shelf.apply = meanwhile
    shelves.work()
    assert len(refused) == 1
    assert "can no longer be withdrawn" in refused[0]
    assert shelves.request(request_id).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_a_reason_that_cannot_be_kept_stands_at_its_field(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor)
    for reason in ("x" * 1001, "a\u202eb"):
        with pytest.raises(FieldError) as refusal:
            withdraw_as(shelves, actor, request_id, reason)
        assert refusal.value.field == "reason"
    assert shelves.request(request_id).state is State.PENDING


def test_a_withdrawal_and_an_approval_at_once_have_one_outcome(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor)
    start = threading.Barrier(2)
    done, refused = [], []

    def run(name, action):
        start.wait()
        try:
            action()
            done.append(name)
        except Conflict:
            refused.append(name)

    def reject():
        with shelves.db.transaction() as session:
            move(session, get_locked(session, request_id), Move.REJECT)

    threads = [
        threading.Thread(target=run, args=("withdraw", lambda: withdraw_as(shelves, actor, request_id))),
        threading.Thread(target=run, args=("reject", reject)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(refused) == 1
    wanted = {"withdraw": State.WITHDRAWN, "reject": State.REJECTED}[done[0]]
    assert shelves.request(request_id).state is wanted
