"""Editing: other answers, a new seal, every approval so far void."""

from __future__ import annotations

import pytest

from catalog.requests import events, tags
from catalog.requests.edit import edit
from catalog.requests.states import State
from portal.core.errors import Conflict, Forbidden

OTHER = {"word": "other", "reason": "Another reason."}


def edit_as(shelves, actor, request_id, answers=OTHER):
    with shelves.db.transaction() as session:
        edit(session, actor, request_id, answers)


def test_other_answers_void_what_was_agreed_and_are_prepared_again(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor)
    first = shelves.request(request_id)

    edit_as(shelves, actor, request_id)

    request = shelves.request(request_id)
    assert (request.state, request.seal, request.title) == (State.PREPARING, "", "Word other")
    assert shelves.told[-1] == events.RequestReplanned(request_id, "The requester changed the answers.")
    assert shelves.tags(request_id)[-1] == tags.EDITED
    shelves.work()
    request = shelves.request(request_id)
    assert (request.state, request.revision) == (State.PENDING, 2)
    assert request.seal not in {"", first.seal}
    assert request.plans[0]["document"]["word"] == "other"


@pytest.mark.on_sqlite
def test_the_same_answers_void_nothing(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor)
    before = shelves.request(request_id)
    edit_as(shelves, actor, request_id, before.answers)
    assert shelves.request(request_id).seal == before.seal


def test_only_the_requester_and_only_while_it_waits(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor)
    with pytest.raises(Forbidden):
        edit_as(shelves, actor_of(cast.manager), request_id)
    shelves.approve(request_id)
    with pytest.raises(Conflict):
        edit_as(shelves, actor, request_id)
    shelves.work()
    with pytest.raises(Conflict):
        edit_as(shelves, actor, request_id)
