"""A worker that dies between any two steps of a fulfilment: the next one ends it, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.jobs import handlers
from catalog.requests import tags
from catalog.requests.states import State
from portal.jobs.model import Task, TaskState
from tests.fixtures_once import written_once

GOOD = (
    "claimed",
    "started",
    "set off",
    "step 1: begun",
    "step 1: planned",
    "step 1: written down",
    "step 1: acted",
    "step 1: applied",
    "step 1: read back",
    "step 1: done",
    "step 2: begun",
    "step 2: planned",
    "step 2: written down",
    "step 2: acted",
    "step 2: applied",
    "step 2: read back",
    "step 2: done",
    "completed",
)
BAD = (
    *GOOD[: GOOD.index("step 2: written down") + 1],
    *("step 2: failed", "step 1: reverted", "step 1: undone", "ended"),
)
#: The task that begins a fulfilment also ends it.
AGAIN = ("claimed", "started")


class Killed(BaseException):
    """The process is gone; nothing after this line ran."""


def dying_at(boundary: str) -> Callable[[str], None]:
    def on_boundary(name: str) -> None:
        if name == boundary:
            raise Killed

    return on_boundary


def let_leases_end(db) -> None:
    """A dead worker renews nothing; its lease is over by the database's clock."""
    with db.transaction() as session:
        session.execute(
            update(Task)
            .where(Task.state == TaskState.RUNNING)
            .values(lease_until=datetime.now(UTC) - timedelta(seconds=1))
        )


def boundaries_of(shelves) -> list[str]:
    passed: list[str] = []
    shelves.work(**handlers(shelves.connectors, passed.append))
    return passed


@pytest.fixture
def request_id(shelves, cast, actor_of) -> int:
    """A request for two words that was approved a moment ago."""
    return written_once(
        shelves.db,
        "approved for two words",
        lambda: shelves.approved(actor_of(cast.requester), second="world"),
    )


def test_these_are_all_the_boundaries(shelves, cast, actor_of):
    shelves.approved(actor_of(cast.requester), second="world")
    assert boundaries_of(shelves) == [*GOOD[:-1], *AGAIN, GOOD[-1]]
    shelves.approved(actor_of(cast.requester), word="other", second="words")
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    assert boundaries_of(shelves) == [*BAD[:-1], *AGAIN, BAD[-1]]


@pytest.mark.parametrize("boundary", GOOD)
def test_killed_anywhere_it_ends_fulfilled_and_acted_once(shelves, request_id, boundary):
    with pytest.raises(Killed):
        shelves.work(**handlers(shelves.connectors, dying_at(boundary)))
    let_leases_end(shelves.db)
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    assert shelves.shelf.acts == [("put", "hello")]
    assert shelves.rack.acts == [("put", "world")]
    assert [e.key for e in shelves.entitlements(request_id)] == ["shelf:hello", "rack:world"]
    told = shelves.tags(request_id)
    for tag in (tags.STEP_APPLIED, tags.STEP_READ_BACK, tags.ENTITLEMENT_GRANTED):
        assert told.count(tag) == 2
    assert told.count(tags.FULFILMENT_STARTED) == told.count(tags.FULFILLED) == 1


@pytest.mark.parametrize("boundary", BAD)
def test_killed_while_it_undoes_it_ends_failed_and_undone_once(shelves, cast, actor_of, boundary):
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    refusal = ConnectorError("The rack takes no words.", permanent=True)

    shelves.rack.trouble["apply"] = refusal
    with pytest.raises(Killed):
        shelves.work(**handlers(shelves.connectors, dying_at(boundary)))
    let_leases_end(shelves.db)
    shelves.rack.trouble["apply"] = refusal
    shelves.work()

    assert shelves.request(request_id).state is State.FAILED
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]
    assert shelves.rack.acts == []
    told = shelves.tags(request_id)
    assert told.count(tags.FAILED) == told.count(tags.STEP_REVERTED) == told.count(tags.STEP_FAILED) == 1


def test_a_worker_that_lost_its_lease_writes_nothing_more(shelves, cast, actor_of):
    """A worker that hung for a minute comes back after another one has finished the work."""
    request_id = shelves.approved(actor_of(cast.requester))
    tried = []

    def hang(boundary: str) -> None:
        if boundary == "step 1: acted" and not tried:
            tried.append(boundary)
            let_leases_end(shelves.db)
            shelves.work()
            assert shelves.request(request_id).state is State.FULFILLED

    shelves.work(**handlers(shelves.connectors, hang))

    assert tried
    assert shelves.shelf.acts == [("put", "hello")]
    assert shelves.tags(request_id).count(tags.STEP_APPLIED) == 1
    assert shelves.tags(request_id).count(tags.FULFILLED) == 1
