from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.jobs import LostLease, Task, TaskError, TaskState, enqueue, leases, run_due, run_task
from portal.jobs.model import TRIES
from portal.jobs.runner import backoff


def put(db, kind="note", payload=None, **more):
    with db.transaction() as session:
        return enqueue(session, kind, payload or {}, **more).id


def row(db, task_id):
    with db.reading() as session:
        return session.get_one(Task, task_id)


def abandon(db, task_id):
    """As if the holder had been killed a while ago."""
    with db.transaction() as session:
        session.execute(
            update(Task)
            .where(Task.id == task_id)
            .values(lease_until=datetime.now(UTC) - timedelta(seconds=1))
        )


def test_a_task_runs_once_and_is_done(db, workshop):
    seen = []
    shop = workshop(note=lambda job: seen.append((job.kind, job.payload, job.attempts)))
    task_id = put(db, payload={"text": "hello"})
    assert run_task(shop, task_id)
    assert not run_task(shop, task_id)
    assert seen == [("note", {"text": "hello"}, 1)]
    assert row(db, task_id).state is TaskState.DONE
    assert row(db, task_id).finished_at is not None


def test_a_handler_can_finish_with_its_last_effect(db, workshop):
    def note(job):
        with job.transaction() as session:
            enqueue(session, "after", {})
            job.finish(session)

    task_id = put(db)
    run_task(workshop(note=note), task_id)
    assert row(db, task_id).state is TaskState.DONE
    with db.reading() as session:
        assert session.scalars(select(Task.kind).where(Task.state == TaskState.WAITING)).all() == ["after"]


def test_a_passing_error_is_tried_again_later_each_time_longer(db, workshop, clock):
    def note(job):
        raise TaskError("The target does not answer.", permanent=False)

    shop = workshop(note=note)
    task_id = put(db)
    waits = []
    for _ in range(TRIES - 1):
        assert run_task(shop, task_id)
        assert not run_task(shop, task_id)
        waits.append((row(db, task_id).run_at - clock.time).total_seconds())
        clock.move(seconds=400)
    assert waits == sorted(waits)
    assert 1.6 <= waits[0] <= 2.4
    assert row(db, task_id).last_error == "The target does not answer."


def test_the_wait_never_passes_five_minutes_and_a_fifth():
    assert max(backoff(attempts).total_seconds() for attempts in range(1, 60)) <= 360


def test_a_poison_task_is_set_aside_after_five_tries_and_the_queue_goes_on(db, workshop, clock):
    told = []

    def poison(job):
        raise ZeroDivisionError

    seen = []
    shop = workshop(
        poison=poison,
        note=lambda job: seen.append(job.id),
        on_set_aside=lambda session, task: told.append((task.id, task.state)),
    )
    bad, good = put(db, "poison"), put(db, "note")
    for _ in range(TRIES + 2):
        run_due(shop)
        clock.move(seconds=400)
    assert seen == [good]
    assert told == [(bad, TaskState.FAILED)]
    assert row(db, bad).attempts == TRIES
    assert "ZeroDivisionError" in row(db, bad).last_error


def test_a_permanent_error_is_set_aside_at_once(db, workshop):
    def note(job):
        raise TaskError("The role does not exist.", permanent=True)

    task_id = put(db)
    run_task(workshop(note=note), task_id)
    assert (row(db, task_id).state, row(db, task_id).attempts) == (TaskState.FAILED, 1)


def test_a_kind_nobody_handles_is_set_aside_with_a_sentence(db, workshop):
    task_id = put(db, "unknown")
    run_task(workshop(), task_id)
    assert row(db, task_id).last_error == "No handler is registered for tasks of the kind 'unknown'."


def test_a_task_is_set_aside_even_when_nobody_can_be_told(db, workshop):
    def refuse(session, task):
        raise OSError

    def note(job):
        raise TaskError("No.", permanent=True)

    task_id = put(db)
    run_task(workshop(note=note, on_set_aside=refuse), task_id)
    assert row(db, task_id).state is TaskState.FAILED


def test_a_task_whose_worker_dies_in_every_try_is_set_aside(db, workshop):
    told = []
    shop = workshop(note=lambda job: None, on_set_aside=lambda session, task: told.append(task.id))
    task_id = put(db)
    with db.transaction() as session:
        session.execute(update(Task).values(state=TaskState.RUNNING, attempts=TRIES, fence=TRIES))
    abandon(db, task_id)
    assert not run_task(shop, task_id)
    assert row(db, task_id).state is TaskState.FAILED
    assert row(db, task_id).last_error == "Its worker was stopped in each of its tries."
    assert told == [task_id]


def test_a_held_task_is_left_to_its_holder(db, workshop):
    shop = workshop(note=lambda job: None)
    inner = []
    task_id = put(db)
    outer = workshop(note=lambda job: inner.append(run_task(shop, task_id)))
    run_task(outer, task_id)
    assert inner == [False]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_moves_an_hour_takes_no_task_from_its_holder_and_loses_none(db, workshop, clock, hours):
    """Leases end by the database's clock, whatever the machines think that the time is."""
    task_id = put(db)
    with db.transaction() as session:
        leases.claim(session, leases.find_due(session, task_id), 30)
    clock.move(hours=hours)
    assert run_due(workshop(note=lambda job: None)) == 0
    with db.transaction() as session:
        session.execute(update(Task).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert run_due(workshop(note=lambda job: None)) == 1


def test_a_killed_workers_task_goes_on_when_its_lease_is_over(db, workshop):
    seen = []
    shop = workshop(note=lambda job: seen.append(job.attempts))
    task_id = put(db)
    with db.transaction() as session:
        leases.claim(session, leases.find_due(session, task_id), 30)
    assert run_due(shop) == 0
    abandon(db, task_id)
    assert run_due(shop) == 1
    assert seen == [2]


def test_a_late_write_by_a_former_holder_is_refused(db, workshop):
    """The first holder sleeps through its lease; the second finishes; then the first wants to write."""
    wrote = []
    second = workshop(note=lambda job: wrote.append(("second", job.fence)))

    def slow(job):
        abandon(db, job.id)
        assert run_task(second, job.id)
        with pytest.raises(LostLease), job.transaction() as session:
            enqueue(session, "never", {})
        with pytest.raises(LostLease):
            job.extend_lease()
        with pytest.raises(LostLease), db.transaction() as session:
            job.finish(session)
        raise RuntimeError("and then fails")

    task_id = put(db)
    run_task(workshop(note=slow), task_id)
    kept = row(db, task_id)
    assert wrote == [("second", 2)]
    assert (kept.state, kept.fence, kept.attempts, kept.last_error) == (TaskState.DONE, 2, 2, None)
    with db.reading() as session:
        assert session.scalars(select(Task.kind)).all() == ["note"]


def test_a_holder_whose_lease_ran_out_may_not_write_though_nobody_took_over(db, workshop):
    refused = []

    def note(job):
        abandon(db, job.id)
        try:
            with job.transaction():
                pass
        except LostLease:
            refused.append(job.id)

    task_id = put(db)
    run_task(workshop(note=note), task_id)
    assert refused == [task_id]


def test_a_lease_is_renewed_while_its_handler_runs(db, workshop):
    held = threading.Event()

    def take_long(job):
        held.set()
        time.sleep(4)

    shop = workshop(note=take_long, lease_seconds=2.5)
    task_id = put(db)
    runner = threading.Thread(target=run_task, args=(shop, task_id))
    runner.start()
    assert held.wait(10), "the first holder never began"
    stolen = []
    while runner.is_alive():
        stolen.append(run_task(shop, task_id))
        time.sleep(0.1)
    assert len(stolen) > 3
    assert not any(stolen)
    assert row(db, task_id).attempts == 1


def test_a_lease_from_before_the_clock_was_set_back_is_over(db, workshop):
    task_id = put(db)
    with db.transaction() as session:
        leases.claim(session, leases.find_due(session, task_id), 30)
        session.execute(update(Task).values(lease_until=datetime.now(UTC) + timedelta(hours=1)))
    assert run_due(workshop(note=lambda job: None)) == 1


def test_a_handler_that_runs_too_long_stops_its_worker_and_loses_its_lease(db, settings):
    from portal.jobs import Workshop

    stopped = threading.Event()
    shop = Workshop(
        db=db, settings=settings, handlers={"note": lambda job: stopped.wait(10)}, time_limit=0.3,
        on_overrun=stopped.set,
    )  # fmt: skip
    task_id = put(db)
    with db.transaction() as session:
        leases.claim(session, leases.find_due(session, task_id), 30)
    abandon(db, task_id)
    run_task(shop, task_id)
    assert stopped.is_set()


def test_a_handler_that_says_when_it_goes_on_may_take_as_long_as_its_parts(db, settings):
    from portal.jobs import Workshop

    stopped, told = threading.Event(), []

    def long(job):
        began = time.monotonic()
        while time.monotonic() < began + 1.5 and not stopped.wait(0.01):
            job.goes_on()
        told.append(stopped.is_set())

    shop = Workshop(db=db, settings=settings, handlers={"note": long}, time_limit=1.0, on_overrun=stopped.set)
    task_id = put(db)
    run_task(shop, task_id)
    assert told == [False]
    assert row(db, task_id).state is TaskState.DONE


def test_tasks_of_one_subject_never_run_at_once_and_the_second_is_rung_for_after(db, workshop):
    order = []

    def note(job):
        order.append(("begin", job.id))
        if job.payload.get("first"):
            assert not run_task(shop, second)
            assert run_task(shop, other)
        order.append(("end", job.id))

    shop = workshop(note=note)
    first = put(db, payload={"first": True}, subject="request:1")
    second = put(db, subject="request:1")
    other = put(db, subject="request:2")
    rung = []
    db.info["doorbell"] = type(
        "Bell",
        (),
        {"ring": lambda self, ids, queue, *, first: rung.extend(ids), "pending": lambda self, queue: 0},
    )()
    run_task(shop, first)
    assert order == [("begin", first), ("begin", other), ("end", other), ("end", first)]
    assert rung == [second]
    assert run_task(shop, second)


def test_ten_workers_at_once_run_each_task_once(db, workshop):
    seen = []
    shop = workshop(note=lambda job: seen.append(job.id))
    ids = [put(db, subject=f"request:{n % 3}") for n in range(12)]
    threads = [threading.Thread(target=run_due, args=(shop,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_due(shop)
    assert sorted(seen) == ids
