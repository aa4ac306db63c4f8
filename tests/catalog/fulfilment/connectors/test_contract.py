"""The contract that every connector keeps, tried on real targets. A connector joins by a file in cases/."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.fulfilment.connectors import contract
from catalog.fulfilment.connectors.contract import Connector, ConnectorError, Plan
from portal.core.canonical import canonical_json
from tests.catalog.fulfilment.connectors.case import ConnectorCase, MakeCase, every_case

ROOMS = Path(contract.__file__).parent
KEY = "SR-000007/1/sha256:5ea1"


@pytest.fixture(params=[make for _, make in every_case()], ids=[name for name, _ in every_case()])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConnectorCase]:
    make: MakeCase = request.param
    with make(tmp_path) as made:
        yield made


def test_every_connector_has_a_case() -> None:
    rooms = {room.name for room in ROOMS.iterdir() if (room / "connector.py").exists()}
    cases = {name.split("-")[0] for name, _ in every_case()}
    assert rooms
    assert cases == rooms


def test_it_is_a_connector(case: ConnectorCase) -> None:
    assert isinstance(case.connector, Connector)
    assert case.connector.kind


def test_planning_changes_nothing_and_gives_the_same_plan_each_time_which_survives_json(
    case: ConnectorCase,
) -> None:
    before = case.snapshot()
    plan, again = case.connector.plan(case.order), case.connector.plan(case.order)
    assert case.snapshot() == before
    assert plan.connector == case.connector.kind
    assert plan.action == case.order.action
    assert plan.lines
    assert not plan.already_true
    assert plan == again
    kept = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert kept.to_json() == plan.to_json()
    assert kept.effect == plan.effect
    assert case.connector.entitlement_key(kept) == case.connector.entitlement_key(plan)
    assert canonical_json(plan.to_json())


def test_a_kept_plan_is_as_good_as_a_new_one(case: ConnectorCase) -> None:
    kept = Plan.from_json(json.loads(json.dumps(case.connector.plan(case.order).to_json())))
    case.connector.apply(kept, KEY)
    assert case.connector.read_back(kept, KEY).present
    case.connector.revert(kept, KEY)
    assert not case.connector.read_back(kept, KEY).present


def test_what_is_applied_is_read_back_as_it_was_planned_and_applying_twice_has_no_second_effect(
    case: ConnectorCase,
) -> None:
    plan = case.connector.plan(case.order)
    assert not case.connector.read_back(plan, KEY).present
    before = case.snapshot()
    first = case.connector.apply(plan, KEY)
    assert case.snapshot() != before
    read = case.connector.read_back(plan, KEY)
    assert read.present
    assert canonical_json({"applied": first.facts, "read": read.facts})

    after = case.connector.plan(case.order)
    assert after.document == plan.document
    assert after.inverse == plan.inverse
    assert after.effect == plan.effect
    assert after.already_true

    before = case.snapshot()
    second = case.connector.apply(plan, KEY)
    assert case.snapshot() == before
    assert second.facts == first.facts
    assert dict(second.artefacts) == dict(first.artefacts)


def test_workers_that_apply_at_the_same_time_have_one_effect(case: ConnectorCase) -> None:
    plan = case.connector.plan(case.order)
    with ThreadPoolExecutor(4) as workers:
        outcomes = list(workers.map(lambda _: case.connector.apply(plan, KEY), range(4)))
    assert len({canonical_json(outcome.facts) for outcome in outcomes}) == 1
    key = case.connector.entitlement_key(plan)
    assert [live.key for live in case.connector.live()].count(key) == 1


def test_what_is_live_is_listed_once_until_it_is_reverted_and_reverting_twice_has_no_second_effect(
    case: ConnectorCase,
) -> None:
    plan = case.connector.plan(case.order)
    key = case.connector.entitlement_key(plan)
    before = [live.key for live in case.connector.live()]
    case.connector.apply(plan, KEY)
    during = list(case.connector.live())
    first = case.connector.revert(plan, KEY)
    reverted = case.snapshot()
    after = [live.key for live in case.connector.live()]
    assert before.count(key) == 0
    assert [live.key for live in during].count(key) == 1
    assert {live.reference for live in during if live.key == key} <= {"", case.order.reference}
    assert all(live.label and canonical_json(live.facts) for live in during)
    assert after == before
    assert not case.connector.read_back(plan, KEY).present
    assert not case.connector.plan(case.order).already_true

    second = case.connector.revert(plan, KEY)
    assert case.snapshot() == reverted
    assert second.facts == first.facts


def test_reverting_what_was_never_applied_is_success_and_changes_nothing(case: ConnectorCase) -> None:
    plan = case.connector.plan(case.order)
    before = [live.key for live in case.connector.live()]
    case.connector.revert(plan, KEY)
    assert [live.key for live in case.connector.live()] == before
    assert not case.connector.read_back(plan, KEY).present


@pytest.mark.parametrize("call", ["plan", "apply", "read_back", "revert", "live"])
def test_a_target_that_is_away_is_a_passing_error_in_time(case: ConnectorCase, call: str) -> None:
    plan = case.connector.plan(case.order)
    calls = {
        "plan": lambda: case.connector.plan(case.order),
        "apply": lambda: case.connector.apply(plan, KEY),
        "read_back": lambda: case.connector.read_back(plan, KEY),
        "revert": lambda: case.connector.revert(plan, KEY),
        "live": lambda: list(case.connector.live()),
    }
    case.take_target_away()
    start = time.monotonic()
    with pytest.raises(ConnectorError) as raised:
        calls[call]()
    assert time.monotonic() - start < case.patience
    assert not raised.value.permanent
    assert raised.value.message.endswith(".")


def test_an_order_that_can_never_be_carried_out_is_a_permanent_error(case: ConnectorCase) -> None:
    before = case.snapshot()
    unknown = replace(case.order, action="dance")
    empty = replace(case.order, parameters={})
    assert case.bad_orders
    for order in (*case.bad_orders, unknown, empty):
        with pytest.raises(ConnectorError) as raised:
            case.connector.plan(order)
        assert raised.value.permanent, order
        assert raised.value.message.endswith("."), raised.value.message
    assert case.snapshot() == before


def test_an_unknown_list_of_choices_is_a_permanent_error(case: ConnectorCase) -> None:
    with pytest.raises(ConnectorError) as raised:
        case.connector.choices("planets")
    assert raised.value.permanent
