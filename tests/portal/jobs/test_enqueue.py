from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.jobs import DEFAULT_QUEUE, Task, TaskState, enqueue
from portal.jobs.leases import due_tasks


class HeardBell:
    """Remembers what was rung for."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    def ring(self, task_ids: Iterable[int], queue: str, *, first: bool = False) -> None:
        self.rung[:] = [*task_ids, *self.rung] if first else [*self.rung, *task_ids]

    def pending(self, queue: str) -> int | None:
        return len(self.rung)


@pytest.fixture
def bell(db):
    db.info["doorbell"] = HeardBell()
    return db.info["doorbell"]


def test_a_task_commits_with_its_cause_and_is_rung_for_only_then(db, bell):
    with db.transaction() as session:
        task = enqueue(session, "request.prepare", {"request": 7}, subject="request:7")
        assert bell.rung == []
    assert bell.rung == [task.id]
    with db.reading() as session:
        kept = session.get_one(Task, task.id)
    assert (kept.kind, kept.payload, kept.subject) == ("request.prepare", {"request": 7}, "request:7")
    assert (kept.state, kept.attempts, kept.fence) == (TaskState.WAITING, 0, 0)


def test_a_rolled_back_transaction_leaves_no_task_and_rings_for_none(db, bell):
    with pytest.raises(RuntimeError), db.transaction() as session:
        enqueue(session, "mail.send", {})
        raise RuntimeError
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 0
    assert bell.rung == []


def test_a_task_for_later_is_not_rung_for_yet(db, bell, clock):
    with db.transaction() as session:
        task = enqueue(session, "entitlement.end", {}, run_at=clock.time + timedelta(hours=1))
    assert bell.rung == []
    assert task.rung_at is None


def test_the_same_key_is_enqueued_once_whatever_became_of_it(db, bell):
    with db.transaction() as session:
        first = enqueue(session, "stage.remind", {"stage": 1}, dedupe_key="remind:1")
    with db.transaction() as session:
        session.get_one(Task, first.id).state = TaskState.DONE
    with db.transaction() as session:
        second = enqueue(session, "stage.remind", {"stage": 1}, dedupe_key="remind:1")
    assert second.id == first.id
    assert bell.rung == [first.id]


def test_losing_the_race_for_a_key_keeps_the_callers_other_work(postgres_url, clock):
    from portal.core.database import Base, Database

    db = Database(postgres_url, clock=clock)
    Base.metadata.create_all(db.engine, tables=[Task.__table__])
    with db.engine.connect() as other:
        transaction = other.begin()
        with db.transaction() as session:
            mine = enqueue(session, "mine", {})
            # The other writer's row is there, not yet visible, until it commits while we wait on the index.
            other.execute(
                Task.__table__.insert().values(
                    kind="theirs", payload={}, queue="default", state=TaskState.WAITING, run_at=clock.time,
                    created_at=clock.time, dedupe_key="k",
                )
            )  # fmt: skip
            transaction.commit()
            theirs = enqueue(session, "theirs", {}, dedupe_key="k")
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 2
        assert session.get_one(Task, mine.id).kind == "mine"
        assert session.get_one(Task, theirs.id).dedupe_key == "k"
    db.dispose()


def test_a_task_that_goes_first_is_run_and_rung_for_before_those_that_wait(db, bell):
    with db.transaction() as session:
        waiting = [enqueue(session, "look", {}).id for _ in range(2)]
    with db.transaction() as session:
        urgent = enqueue(session, "look", {}, first=True).id
    assert bell.rung == [urgent, *waiting]
    with db.reading() as session:
        assert due_tasks(session, DEFAULT_QUEUE, 10) == [urgent, *waiting]
