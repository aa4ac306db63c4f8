"""All three kinds of drift, seeded behind the portal's back on every connector's real target, and nothing else found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.core.database import Database
from portal.tables import METADATA
from tests.catalog.fulfilment.connectors.case import ConnectorCase, MakeCase, every_case
from tests.catalog.reconciliation.behind import CHANGED, Disguised
from tests.catalog.reconciliation.recorded import Record
from tests.fixtures_people import add_cast
from tests.fixtures_requests import add_offering

KEY = "SR-000007/1"


@pytest.fixture(params=[make for _, make in every_case()], ids=[name for name, _ in every_case()])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ConnectorCase]:
    make: MakeCase = request.param
    with make(tmp_path) as made:
        yield made


@pytest.fixture
def record(case: ConnectorCase, tmp_path: Path) -> Iterator[Record]:
    db = Database(f"sqlite:///{tmp_path / 'record.db'}")
    METADATA.create_all(db.engine)
    with db.transaction() as session:
        people = add_cast(session)
        version_id = add_offering(session)
    yield Record(db, case.connector, version_id, people["requester"])
    db.dispose()


def test_what_was_removed_added_and_changed_behind_the_portals_back_is_found(
    case: ConnectorCase, record: Record, tmp_path: Path
) -> None:
    connector: Any = case.connector
    record.read()
    # What was there before the portal came is nobody's request; it is not what this is about.
    before = record.found()
    assert all(kind == "unexplained" for kind, _ in before)

    def new() -> list[tuple[str, str]]:
        return [found for found in record.found() if found not in before]

    plan = connector.plan(case.order)
    key = connector.entitlement_key(plan)
    connector.apply(plan, KEY)
    record.read()
    assert new() == [("unexplained", key)]

    record.granted(plan)
    clean = record.read()
    assert new() == []
    assert (clean.was_read, clean.opened, clean.closed) == (True, 0, 1)
    assert clean.explained == clean.live - len(before)

    if connector.kind not in CHANGED:
        # Its target cannot be changed but by what the connector does: the change is made on its way from there.
        record.connector = Disguised(connector)
        record.read()
        assert [kind for kind, found in new() if found == key] == ["drifted"]
        record.connector = connector

    connector.revert(plan, KEY)
    record.read()
    assert new() == [("missing", key)]

    if connector.kind in CHANGED:
        connector.apply(plan, "SR-000007/1/again")
        record.read()
        assert new() == []
        record.connector = CHANGED[connector.kind](connector, plan, tmp_path) or connector
        record.read()
        assert [kind for kind, found in new() if found == key] == ["drifted"]

    record.connector = connector
    held = record.found()
    case.take_target_away()
    away = record.read()
    assert not away.was_read
    assert away.why.endswith(".")
    assert record.found() == held
