"""Readings while the world moves: what is just granted, carried out, undone or ended is no finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select, update

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Live, Order
from catalog.fulfilment.model import Step, StepState
from catalog.reconciliation.model import Finding, FindingState
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.language import say
from tests.catalog.reconciliation.recorded import Record
from tests.fixtures_requests import ShelfConnector, add_offering


@dataclass
class MovingShelf(ShelfConnector):
    """A shelf on which something happens each time that it was looked at."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def live(self) -> Iterable[Live]:
        seen = [Live(f"shelf:{word}", word, {"colour": colour}) for word, colour in self.shelf.items()]
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return seen

    def expected_facts(self, plan: Any) -> dict[str, Any]:
        return {"colour": "red"}

    def put(self, word: str) -> Any:
        """The plan of a word that stands there in red."""
        plan = self.plan(Order("SR-000007", "put", {"word": word}, Beneficiary("rosa", "Rosa", "")))
        self.shelf[word] = "red"
        return plan


@pytest.fixture
def record(db, cast, clock):
    with db.transaction() as session:
        version_id = add_offering(session)

    @dataclass
    class Ticking(Record):
        def read(self):
            clock.pass_time(seconds=1)
            return super().read()

    return Ticking(db, MovingShelf(), version_id, cast.requester)


def change(record: Record, **values: Any) -> None:
    with record.db.transaction() as session:
        at = now(session)
        ended = {"ended_at": at} if values["state"] is EntitlementState.ENDED else {}
        session.execute(update(Entitlement).values(**values, **ended))


@pytest.mark.on_sqlite
def test_something_granted_between_two_looks_is_no_finding(record):
    shelf = record.connector
    plan = shelf.put("hello")
    shelf.meanwhile = [lambda: record.granted(plan) and None]
    reading = record.read()
    assert (record.found(), reading.live, reading.explained) == ([], 1, 1)


def test_something_that_a_step_has_just_put_there_is_no_finding(record):
    plan = record.connector.put("hello")
    request = record.granted(plan, state=State.FULFILLING, step="applying")
    assert record.read().opened == 0
    # Once nothing moves, it is one.
    with record.db.transaction() as session:
        session.get_one(Request, request).state = State.FAILED
    assert record.read().opened == 1
    assert record.found() == [("unexplained", "shelf:hello")]


def test_something_that_is_undone_between_two_looks_is_no_finding(record):
    shelf = record.connector
    request = record.granted(shelf.put("hello"), state=State.FULFILLING, step="applied")

    def undo() -> None:
        shelf.shelf.clear()
        with record.db.transaction() as session:
            session.get_one(Request, request).state = State.FAILED
            session.execute(update(Step).values(state=StepState.REVERTED))

    shelf.meanwhile = [undo]
    assert record.read().opened == 0


@pytest.mark.parametrize("state", [EntitlementState.ENDING, EntitlementState.ENDED])
def test_something_that_ends_during_the_reading_is_neither_missing_nor_unexplained(record, state):
    shelf = record.connector
    record.granted(shelf.put("hello"))

    def end() -> None:
        change(record, state=state)
        shelf.shelf.clear()

    shelf.meanwhile = [end]
    assert record.read().opened == 0
    assert record.read().opened == 0


@pytest.mark.on_sqlite
def test_something_taken_away_before_its_record_ends_is_not_missing(record):
    shelf = record.connector
    record.granted(shelf.put("hello"))
    change(record, state=EntitlementState.ENDING)
    shelf.shelf.clear()
    assert record.read().opened == 0


@pytest.mark.on_sqlite
def test_something_that_comes_back_between_two_looks_is_not_missing(record):
    shelf = record.connector
    record.granted(shelf.put("hello"))
    shelf.shelf.clear()
    shelf.meanwhile = [lambda: shelf.shelf.update(hello="red")]
    assert record.read().opened == 0


def test_a_target_that_fails_half_way_is_not_read_and_nothing_is_missing(record):
    shelf = record.connector
    for number, word in enumerate(("one", "two"), start=1):
        record.granted(shelf.put(word), number=number)
    shelf.shelf.pop("one")

    def fail() -> None:
        raise ConnectorError(say("The directory does not answer."))

    shelf.meanwhile = [lambda: None, fail]
    reading = record.read()
    assert (reading.was_read, record.found()) == (False, [])
    assert record.read().was_read
    assert record.found() == [("missing", "shelf:one")]


def test_one_thing_is_found_once_changes_and_closes_by_itself(record):
    shelf = record.connector
    record.granted(shelf.put("hello"))
    shelf.shelf["hello"] = "blue"
    assert record.read().opened == 1
    assert record.read().opened == 0
    shelf.shelf["hello"] = "green"
    record.read()
    assert record.found() == [("drifted", "shelf:hello")]
    with record.db.reading() as session:
        finding = session.scalars(select(Finding)).one()
        assert finding.differences == [{"name": "colour", "sealed": "red", "found": "green"}]
        assert finding.first_seen_at < finding.last_seen_at
    shelf.shelf["hello"] = "red"
    reading = record.read()
    assert (reading.closed, reading.explained, record.found()) == (1, 1, [])
    shelf.shelf["hello"] = "blue"
    assert record.read().opened == 1
    with record.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Finding)) == 2
    assert len(record.found(FindingState.CLOSED)) == 1


@pytest.mark.on_sqlite
def test_what_two_requests_allow_is_explained_by_either(record):
    shelf = record.connector
    plan = shelf.put("hello")
    record.granted(plan, number=1)
    record.granted(plan, number=2)
    with record.db.transaction() as session:
        first = session.scalars(select(Entitlement).order_by(Entitlement.id)).first()
        first.state, first.ended_at = EntitlementState.ENDED, now(session)
    reading = record.read()
    assert (reading.opened, reading.explained) == (0, 1)
    assert record.read().opened == 0
