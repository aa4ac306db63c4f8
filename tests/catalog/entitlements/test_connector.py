"""Ending all that a person has, through the connector alone: what the contract asks of one that cannot be reverted."""

from dataclasses import replace

import pytest

from catalog.entitlements.connector import EntitlementsConnector
from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import Beneficiary, Connector, ConnectorError, Order
from portal.core.database import Database
from tests.fixtures_once import written_once

ROSA = Beneficiary("rosa.requester", "Rosa Requester", "rosa.requester@meridian.example")
ALL = Order("SR-000009", "end_all", {}, ROSA)
KEY = "SR-000009/1/sha256:5ea1"


@pytest.fixture
def connector(shelves):
    made = EntitlementsConnector(shelves.db, lambda: shelves.connectors)
    assert isinstance(made, Connector)
    return made


@pytest.fixture
def two(shelves, cast, actor_of):
    """Rosa has two words on shelves."""

    def write() -> tuple[dict[str, str], list[tuple[str, str]]]:
        for word in ("hello", "goodbye"):
            shelves.fulfilled(actor_of(cast.requester), word=word)
        return dict(shelves.shelf.shelf), list(shelves.shelf.acts)

    there, acts = written_once(shelves.db, "two words on shelves", write)
    shelves.shelf.shelf, shelves.shelf.acts = dict(there), list(acts)


def test_a_plan_lists_each_thing_and_is_one_effect_before_and_after(connector, shelves, two):
    before = connector.plan(ALL)
    assert [line.text for line in before.lines] == [
        "End: Word hello, on the shelf",
        "End: Word goodbye, on the shelf",
    ]
    assert not before.already_true
    assert set(shelves.shelf.shelf) == {"hello", "goodbye"}
    outcome = connector.apply(before, KEY)
    assert shelves.shelf.shelf == {}
    after = connector.plan(ALL)
    assert after.effect == before.effect
    assert after.already_true
    assert connector.read_back(before, KEY).present
    assert connector.apply(before, KEY).facts == outcome.facts
    assert shelves.shelf.acts.count(("take", "hello")) == 1


@pytest.mark.on_sqlite
def test_one_that_fails_keeps_none_of_the_others_from_ending(connector, shelves, two):
    plan = connector.plan(ALL)
    shelves.shelf.trouble["revert"] = ConnectorError("The shelf does not answer.")
    with pytest.raises(ConnectorError, match="does not answer"):
        connector.apply(plan, KEY)
    assert set(shelves.shelf.shelf) == {"hello"}
    assert not connector.read_back(plan, KEY).present
    connector.apply(plan, KEY)
    assert shelves.shelf.shelf == {}


@pytest.mark.on_sqlite
def test_one_thing_is_ended_by_its_name(connector, shelves, two):
    plan = connector.plan(replace(ALL, action="end_one", parameters={"key": "Word hello"}))
    connector.apply(plan, KEY)
    assert set(shelves.shelf.shelf) == {"goodbye"}


@pytest.mark.on_sqlite
def test_what_has_ended_is_not_given_back(connector, shelves, two):
    plan = connector.plan(ALL)
    assert connector.revert(plan, KEY).facts["ended"] == []
    connector.apply(plan, KEY)
    with pytest.raises(ConnectorError, match="asked for anew") as caught:
        connector.revert(plan, KEY)
    assert caught.value.permanent
    assert shelves.entitlements(1)[0].state is EntitlementState.ENDED


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "order",
    [
        replace(ALL, action="dance"),
        replace(ALL, parameters={"who": "me"}),
        replace(ALL, action="end_one"),
        replace(ALL, action="end_one", parameters={"key": "no such thing"}),
        replace(ALL, beneficiary=Beneficiary("no.body", "No Body", "")),
        replace(ALL, beneficiary=Beneficiary("", "", "")),
    ],
)
def test_an_order_that_can_never_be_carried_out_is_a_permanent_error(connector, cast, order):
    with pytest.raises(ConnectorError) as caught:
        connector.plan(order)
    assert caught.value.permanent
    assert caught.value.message.endswith(".")


def test_a_database_that_is_away_is_a_passing_error(connector, two):
    plan = connector.plan(ALL)
    connector.db = Database("postgresql://postgres@127.0.0.1:1/away")
    for call in (lambda: connector.plan(ALL), lambda: connector.apply(plan, KEY)):
        with pytest.raises(ConnectorError) as caught:
            call()
        assert not caught.value.permanent
    connector.db.dispose()
    assert list(connector.live()) == []
    with pytest.raises(ConnectorError):
        connector.choices("roles")
