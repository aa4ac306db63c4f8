"""Endings: on time, given back, or kept because another request needs it."""

from __future__ import annotations

import pytest

from catalog.entitlements.ending import give_back
from catalog.entitlements.model import EntitlementState
from catalog.entitlements.queries import entitlements_of
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests import tags
from catalog.requests.states import State
from portal.core.errors import Conflict, NotFound


def give_back_as(shelves, actor, entitlement):
    with shelves.db.transaction() as session:
        give_back(session, actor, entitlement.id)


@pytest.mark.on_sqlite
def test_it_ends_at_the_close_of_its_last_day_and_the_holder_was_warned(shelves, cast, actor_of, clock):
    request_id = shelves.fulfilled(actor_of(cast.requester), until="2026-12-18")
    assert shelves.mails() == [("request_fulfilled", cast.requester)]

    clock.pass_time(days=23)
    shelves.work()
    assert shelves.mails()[1:] == []
    clock.pass_time(days=1)
    shelves.work()
    assert shelves.mails()[1:] == [("entitlement_ending", cast.requester)]
    assert shelves.shelf.shelf.keys() == {"hello"}
    clock.pass_time(days=7)
    shelves.work()

    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    (entitlement,) = shelves.entitlements(request_id)
    assert (entitlement.state, entitlement.end_reason) == (EntitlementState.ENDED, "Its time was over.")
    assert shelves.request(request_id).state is State.ENDED
    assert shelves.tags(request_id)[-2:] == [tags.ENTITLEMENT_ENDED, tags.ENDED]
    assert shelves.mails()[2:] == [("entitlement_ended", cast.requester)]


@pytest.mark.on_sqlite
def test_a_short_one_is_warned_of_a_day_before_it_ends(shelves, cast, actor_of, clock):
    shelves.fulfilled(actor_of(cast.requester), until="2026-11-20")
    clock.pass_time(days=1)
    shelves.work()
    assert shelves.mails() == [("request_fulfilled", cast.requester)]
    clock.pass_time(hours=14)
    shelves.work()
    clock.pass_time(days=1)
    shelves.work()
    assert [event for event, _ in shelves.mails()] == [
        "request_fulfilled",
        "entitlement_ending",
        "entitlement_ended",
    ]


def test_the_holder_gives_it_back_and_it_goes_at_once(shelves, cast, actor_of, clock):
    actor = actor_of(cast.requester)
    request_id = shelves.fulfilled(actor, until="2026-12-18")
    (entitlement,) = shelves.entitlements(request_id)

    give_back_as(shelves, actor, entitlement)
    shelves.work()

    assert shelves.shelf.shelf == {}
    assert shelves.request(request_id).state is State.ENDED
    clock.pass_time(days=40)
    shelves.work()
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert shelves.tags(request_id).count(tags.ENTITLEMENT_ENDED) == 1


def test_nobody_else_gives_it_back_and_nobody_twice(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    (entitlement,) = shelves.entitlements(shelves.fulfilled(actor))
    with pytest.raises(NotFound):
        give_back_as(shelves, actor_of(cast.manager), entitlement)
    give_back_as(shelves, actor, entitlement)
    with pytest.raises(Conflict):
        give_back_as(shelves, actor, entitlement)


@pytest.mark.on_sqlite
def test_a_request_ends_with_its_last_entitlement(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.fulfilled(actor, second="world")
    first, second = shelves.entitlements(request_id)
    give_back_as(shelves, actor, first)
    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLED
    give_back_as(shelves, actor, second)
    shelves.work()
    assert shelves.request(request_id).state is State.ENDED


@pytest.mark.on_sqlite
def test_what_another_request_still_allows_stays_on_the_target(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    (first,) = shelves.entitlements(shelves.fulfilled(actor))
    (second,) = shelves.entitlements(shelves.fulfilled(actor))
    assert first.key == second.key

    give_back_as(shelves, actor, first)
    shelves.work()
    assert shelves.shelf.shelf.keys() == {"hello"}
    give_back_as(shelves, actor, second)
    shelves.work()
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]


def test_two_that_end_together_do_not_leave_it_to_each_other(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    entitlements = [shelves.entitlements(shelves.fulfilled(actor))[0] for _ in range(2)]
    with shelves.db.transaction() as session:
        for entitlement in entitlements:
            give_back(session, actor, entitlement.id)
    shelves.work()
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]


@pytest.mark.on_sqlite
def test_a_target_that_does_not_answer_is_asked_again(shelves, cast, actor_of, clock):
    actor = actor_of(cast.requester)
    request_id = shelves.fulfilled(actor)
    (entitlement,) = shelves.entitlements(request_id)
    shelves.shelf.trouble["revert"] = ConnectorError("The shelf does not answer.")
    give_back_as(shelves, actor, entitlement)
    shelves.work()
    assert shelves.entitlements(request_id)[0].state is EntitlementState.ENDING
    clock.pass_time(minutes=1)
    shelves.work()
    assert shelves.entitlements(request_id)[0].state is EntitlementState.ENDED
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]


@pytest.mark.on_sqlite
def test_the_holder_sees_what_is_theirs_and_by_which_request(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = shelves.fulfilled(actor, person="ola.outsider")
    with shelves.db.reading() as session:
        assert entitlements_of(session, actor) == ((), None)
        (line,), following = entitlements_of(session, actor_of(cast.outsider))
    assert (line.label, line.target, line.reference) == ("Word hello", "The shelf", "SR-000001")
    assert (line.state, following) == ("live", None)
    assert str(line.since.tzinfo) == "Europe/Lisbon"
    assert shelves.request(request_id).beneficiary_id == cast.outsider
