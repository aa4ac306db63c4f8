from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from portal.jobs import Periodic, Task, TaskError, TaskState, enqueue, leases, run_due
from portal.jobs.periodic import enqueue_periodic
from portal.jobs.sweep import sweep


class Bell:
    def __init__(self):
        self.rung = []
        self.waiting = 0

    def ring(self, task_ids, queue):
        self.rung.extend(task_ids)

    def pending(self, queue):
        return self.waiting


@pytest.fixture
def bell():
    return Bell()


def put(db, **more):
    with db.transaction() as session:
        return enqueue(session, "note", {}, **more).id


def test_a_task_whose_ring_was_lost_is_rung_for_again_within_ten_seconds(db, bell, clock):
    task_id = put(db)
    assert sweep(db, bell) == 0
    clock.move(seconds=10)
    assert sweep(db, bell) == 1
    assert sweep(db, bell) == 0
    assert bell.rung == [task_id]


def test_rings_that_still_wait_are_not_repeated_so_soon(db, bell, clock):
    put(db)
    bell.waiting = 1
    clock.move(seconds=11)
    assert sweep(db, bell) == 0
    clock.move(seconds=20)
    assert sweep(db, bell) == 1


def test_a_timer_is_rung_for_when_its_time_comes(db, bell, clock):
    task_id = put(db, run_at=clock.time + timedelta(hours=1))
    clock.move(minutes=59)
    assert sweep(db, bell) == 0
    clock.move(minutes=1)
    assert sweep(db, bell) == 1
    assert bell.rung == [task_id]


def test_an_abandoned_task_is_rung_for_and_finished_ones_are_not(db, bell, clock):
    clock.time = datetime.now(UTC)  # leases go by the database's clock
    abandoned, done = put(db), put(db)
    with db.transaction() as session:
        leases.claim(session, leases.find_due(session, abandoned), 30)
        session.get_one(Task, done).state = TaskState.DONE
    clock.move(seconds=9)
    assert sweep(db, bell) == 0
    with db.transaction() as session:
        session.execute(update(Task).where(Task.id == abandoned).values(lease_until=datetime.now(UTC)))
    assert sweep(db, bell) == 1
    assert bell.rung == [abandoned]


def test_what_comes_round_is_enqueued_once_a_period_by_however_many_schedulers(db, clock, workshop):
    table = [Periodic("checkpoint", timedelta(seconds=60), "note")]
    assert enqueue_periodic(db, table) == 1
    assert enqueue_periodic(db, table) == 0
    clock.move(seconds=60)
    assert enqueue_periodic(db, table) == 0, "the one before it has not run"
    run_due(workshop(note=lambda job: None))
    assert enqueue_periodic(db, table) == 1
    assert enqueue_periodic(db, table) == 0
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 2


def test_after_a_long_pause_one_round_is_enough(db, clock, workshop):
    table = [Periodic("checkpoint", timedelta(seconds=60), "note")]
    enqueue_periodic(db, table)
    clock.move(hours=5)
    run_due(workshop(note=lambda job: None))
    assert enqueue_periodic(db, table) == 1
    run_due(workshop(note=lambda job: None))
    assert enqueue_periodic(db, table) == 0


def test_rounds_that_went_well_are_forgotten_after_a_day_and_of_failed_ones_the_last_stays(
    db, clock, workshop
):
    table = [Periodic("checkpoint", timedelta(seconds=60), "note")]

    def refuse(job):
        raise TaskError("No.", permanent=True)

    def round_of(handler):
        clock.move(seconds=60)
        enqueue_periodic(db, table)
        run_due(workshop(note=handler))

    def states():
        with db.reading() as session:
            return session.scalars(select(Task.state).order_by(Task.id)).all()

    done, failed = TaskState.DONE, TaskState.FAILED
    for handler in (lambda job: None, refuse, refuse, lambda job: None, refuse):
        round_of(handler)
    assert states() == [done, failed, done, failed]
    clock.move(days=2)
    round_of(lambda job: None)
    assert states() == [failed, done]
