"""Extending: a small request with the same answers moves the end, and the target is not called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.entitlements.connector import EntitlementsConnector
from catalog.entitlements.ending import give_back
from catalog.entitlements.extending.ask import check_extension, extend, extending
from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.requests import tags
from catalog.requests.edit import edit
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldErrors, NotFound
from tests.fixtures_requests import Shelves

pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])
BEFORE = datetime(2026, 12, 18, 23, 0, tzinfo=UTC)
LATER = datetime(2027, 1, 31, 23, 0, tzinfo=UTC)


@pytest.fixture
def shelves(shelves, monkeypatch):
    """With the portal's own record as a target, as every portal has it."""
    record = EntitlementsConnector(shelves.db, lambda: shelves.connectors)
    connectors = Connectors([shelves.shelf, shelves.rack, record])
    monkeypatch.setattr(Shelves, "connectors", property(lambda self: connectors))
    return shelves


def asked(shelves, actor, entitlement, *, end="2027-01-31", reason="The reading goes on."):
    with shelves.db.reading() as session:
        checked = check_extension(session, actor, entitlement.id, shelves.connectors, end=end, reason=reason)
    with shelves.db.transaction() as session:
        return extend(session, actor, checked).id


@pytest.fixture
def granted(shelves, cast, actor_of):
    request_id = shelves.fulfilled(actor_of(cast.requester), until="2026-12-18")
    shelves.shelf.calls.clear()
    return shelves.entitlements(request_id)[0]


def test_the_end_moves_and_nothing_is_granted_or_done_twice(shelves, cast, actor_of, granted, clock):
    request_id = asked(shelves, actor_of(cast.requester), granted)
    shelves.work()

    request = shelves.request(request_id)
    assert request.title == "Extension: Word hello"
    assert request.ends_at == LATER
    assert [line["text"]["en"] for line in request.plans[0]["lines"]] == [
        "Word hello, on the shelf: until the end of 31 January 2027 instead of the end of 18 December 2026",
        "Nothing changes on the target, where it is in place already; it is taken away later.",
    ]
    shelves.approve(request_id)
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    (entitlement,) = shelves.entitlements(granted.request_id)
    assert shelves.entitlements(request_id) == []
    assert (entitlement.state, entitlement.ends_at) == (EntitlementState.LIVE, LATER)
    assert shelves.shelf.calls == []
    assert shelves.tags(granted.request_id)[-1] == tags.ENTITLEMENT_EXTENDED

    clock.time = BEFORE + timedelta(minutes=1)
    shelves.work()
    assert "hello" in shelves.shelf.shelf
    assert "entitlement_ending" not in [event for event, _person in shelves.mails()]
    clock.time = LATER
    shelves.work()
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert [event for event, _person in shelves.mails()].count("entitlement_ending") == 1


def test_the_same_person_is_asked_and_may_say_no(shelves, cast, actor_of, granted, clock):
    request_id = asked(shelves, actor_of(cast.requester), granted)
    shelves.work()
    assert shelves.request(request_id).route == shelves.request(granted.request_id).route
    assert shelves.entitlements(granted.request_id)[0].ends_at == BEFORE
    clock.time = BEFORE
    shelves.work()
    assert shelves.shelf.shelf == {}
    shelves.approve(request_id)
    shelves.work()
    assert shelves.request(request_id).state in {State.PREPARING, State.REFUSED}
    assert "has ended meanwhile" in shelves.request(request_id).outcome


@pytest.mark.parametrize("end", ["2026-12-18", "2026-12-01", "2026-11-01", "", "tomorrow"])
def test_an_end_that_is_no_later_is_refused_at_its_field(shelves, cast, actor_of, granted, end):
    with pytest.raises(FieldErrors) as caught:
        asked(shelves, actor_of(cast.requester), granted, end=end)
    assert {error.field for error in caught.value.errors} == {"end"}


def test_one_extension_at_a_time_and_only_of_ones_own(shelves, cast, actor_of, granted):
    actor = actor_of(cast.requester)
    with pytest.raises(NotFound):
        asked(shelves, actor_of(cast.outsider), granted)
    request_id = asked(shelves, actor, granted)
    with pytest.raises(Conflict, match="SR-000002"):
        asked(shelves, actor, granted)
    with shelves.db.transaction() as session:
        give_back(session, actor, granted.id)
    with pytest.raises(Conflict, match="ended already"), shelves.db.reading() as session:
        extending(session, actor, granted.id, shelves.connectors)
    assert shelves.request(request_id).state is State.PREPARING


def test_an_extension_cannot_be_made_into_something_else(shelves, cast, actor_of, granted):
    actor = actor_of(cast.requester)
    request_id = asked(shelves, actor, granted)
    shelves.work()
    answers = {**shelves.request(request_id).answers, "word": "root"}
    with pytest.raises(Conflict, match="Withdraw it"), shelves.db.transaction() as session:
        edit(session, actor, request_id, answers)


def test_what_its_target_ends_itself_is_asked_for_anew(shelves, cast, actor_of, granted):
    shelves.shelf.keeps_time = True
    with shelves.db.reading() as session:
        page = extending(session, actor_of(cast.requester), granted.id, shelves.connectors)
    assert "Ask for a new one" in page.anew
    with pytest.raises(Conflict, match="keeps this end itself"):
        asked(shelves, actor_of(cast.requester), granted)


def test_an_extension_that_is_undone_gives_the_old_end_back(shelves, cast, actor_of, granted, clock):
    request_id = asked(shelves, actor_of(cast.requester), granted)
    shelves.work()
    shelves.approve(request_id)
    shelves.work()
    step = shelves.steps(request_id)[0]
    plan, record = Plan.from_json(step.plan), shelves.connectors.get("entitlements")
    record.revert(plan, step.key)
    record.revert(plan, step.key)
    assert shelves.entitlements(granted.request_id)[0].ends_at == BEFORE
    assert shelves.tags(granted.request_id).count(tags.EXTENSION_UNDONE) == 1
    clock.time = BEFORE
    shelves.work()
    assert shelves.shelf.shelf == {}
