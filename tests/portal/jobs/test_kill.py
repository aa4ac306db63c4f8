"""A worker killed at any instant, Redis emptied or killed: the work goes on within 60 s and nothing happens twice.

The leases here last 1.5 s instead of 30, so that a test need not wait; the product's own are checked as numbers.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.core.database import Base, Database
from portal.jobs import Task, TaskState, enqueue
from portal.jobs.doorbell import hang
from portal.jobs.job import LEASE_SECONDS
from portal.jobs.loops import LOOK_SECONDS
from portal.jobs.model import TRIES
from portal.jobs.sweep import REPEAT_WHEN_BUSY, SWEEP_SECONDS, sweep
from tests.fixtures_servers import wait_until
from tests.portal.jobs.worker_under_fire import POINTS, STEPS

PROGRAM = Path(__file__).with_name("worker_under_fire.py")
ROOT = Path(__file__).parents[3]


def make_tables(database):
    Base.metadata.create_all(database.engine, tables=[Task.__table__])
    with database.transaction() as session:
        session.execute(text("CREATE TABLE fulfilment (task INTEGER PRIMARY KEY, done INTEGER)"))
        # No key on purpose: an outcome written twice is to be seen, not refused.
        session.execute(text("CREATE TABLE outcome (task INTEGER)"))


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    make_tables(database)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def cradle():
    """The process that workers are forked from: most of a worker's first second goes into imports."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


class Fleet:
    """Workers, each in a process group of its own, started again when they die, as the supervisor does."""

    def __init__(
        self, cradle: subprocess.Popen[str], database_url: str, redis_url: str, target: Path
    ) -> None:
        self.cradle = cradle
        self.wanted = json.dumps([database_url, redis_url, str(target), "1.5"])
        self.worker: int | None = None
        self.starts = 0

    def lives(self) -> bool:
        if self.worker is None:
            return False
        try:
            os.kill(self.worker, 0)
        except ProcessLookupError:
            return False
        return True

    def leads_its_group(self) -> bool:
        try:
            return os.getpgid(self.worker) == self.worker
        except ProcessLookupError:
            return True

    def keep_going(self) -> None:
        if not self.lives():
            print(self.wanted, file=self.cradle.stdin, flush=True)
            self.worker = int(self.cradle.stdout.readline())
            self.starts += 1

    def kill(self) -> None:
        if self.lives():
            # The worker's group is its own once it has begun.
            wait_until(self.leads_its_group, "it has begun")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.worker, signal.SIGKILL)
        wait_until(lambda: not self.lives(), "the worker is gone")


@pytest.fixture
def fleet(cradle, database_url, redis_server, tmp_path):
    workers = Fleet(cradle, database_url, redis_server.url, tmp_path)
    yield workers
    workers.kill()


def all_over(db):
    with db.reading() as session:
        return not session.query(Task).filter(Task.state.in_([TaskState.WAITING, TaskState.RUNNING])).count()


def run_until_over(db, fleet, bell, seconds=60.0):
    def over():
        fleet.keep_going()
        sweep(db, bell)
        return all_over(db)

    wait_until(over, "every task is over", seconds)


def assert_each_effect_happened_once(db, tmp_path, ids):
    for task_id in ids:
        done = (tmp_path / f"target-{task_id}").read_text().splitlines()
        assert done == [f"{task_id}/{step}" for step in STEPS]
    with db.reading() as session:
        assert sorted(session.scalars(text("SELECT task FROM outcome"))) == sorted(ids)
        assert {task.state for task in session.query(Task)} == {TaskState.DONE}


def test_killed_between_any_two_steps_it_goes_on_and_nothing_happens_twice(db, fleet, redis_server, tmp_path):
    bell = hang(db, redis_server.url)
    with db.transaction() as session:
        ids = [
            enqueue(session, "fulfil", {"die_at": point}, subject=f"request:{point}").id for point in POINTS
        ]
    run_until_over(db, fleet, bell)
    assert len(list(tmp_path.glob("killed-*"))) == len(POINTS)
    assert fleet.starts == len(POINTS) + 1 or fleet.starts == len(POINTS)
    assert_each_effect_happened_once(db, tmp_path, ids)


def test_killed_at_random_instants_it_goes_on_and_nothing_happens_twice(db, fleet, redis_server, tmp_path):
    bell = hang(db, redis_server.url)
    with db.transaction() as session:
        ids = [enqueue(session, "fulfil", {"slow": 0.02}, subject=f"request:{n % 4}").id for n in range(30)]
    chance = random.Random(20270301)
    for _ in range(5):
        (tmp_path / "ready").unlink(missing_ok=True)
        fleet.keep_going()
        wait_until((tmp_path / "ready").exists, "the worker is up", 20)
        time.sleep(chance.uniform(0.05, 0.4))
        fleet.kill()
    with db.transaction() as session:
        # The kills above may have hit one task again and again; that rule has its own test.
        session.execute(text("UPDATE task SET attempts = 0"))
    run_until_over(db, fleet, bell)
    assert_each_effect_happened_once(db, tmp_path, ids)


@pytest.mark.on_sqlite  # the database has no part in it
def test_redis_emptied_and_killed_while_work_waits_costs_nothing(db, fleet, redis_server, tmp_path):
    bell = hang(db, redis_server.url)
    with db.transaction() as session:
        ids = [enqueue(session, "fulfil", {"slow": 0.05}).id for _ in range(6)]
    with redis_server.client as client:
        client.flushall()
    (tmp_path / "ready").unlink(missing_ok=True)
    fleet.keep_going()
    wait_until(
        lambda: any(tmp_path.glob("target-*")), "the worker has begun without a ring", LOOK_SECONDS + 10
    )
    redis_server.kill()
    with db.transaction() as session:
        ids += [enqueue(session, "fulfil", {}).id for _ in range(3)]
    run_until_over(db, fleet, bell)
    redis_server.start()
    with db.transaction() as session:
        ids.append(enqueue(session, "fulfil", {}).id)
    run_until_over(db, fleet, bell)
    assert fleet.starts == 1, "the worker outlives Redis"
    assert_each_effect_happened_once(db, tmp_path, ids)


@pytest.mark.on_sqlite  # the database has no part in it
def test_a_task_that_kills_its_worker_is_set_aside_and_the_rest_is_done(db, fleet, redis_server, tmp_path):
    bell = hang(db, redis_server.url)
    with db.transaction() as session:
        bad = enqueue(session, "poison", {}).id
        good = enqueue(session, "fulfil", {}).id
    run_until_over(db, fleet, bell)
    with db.reading() as session:
        assert session.get_one(Task, bad).state is TaskState.FAILED
        assert session.get_one(Task, bad).attempts == TRIES
        assert session.get_one(Task, good).state is TaskState.DONE


@pytest.mark.on_sqlite  # the database has no part in it
def test_without_any_redis_the_table_alone_is_enough(cradle, db, database_url, tmp_path):
    alone = Fleet(cradle, database_url, "-", tmp_path)
    try:
        with db.transaction() as session:
            ids = [enqueue(session, "fulfil", {}).id for _ in range(3)]
        run_until_over(db, alone, hang(db, None))
    finally:
        alone.kill()
    assert_each_effect_happened_once(db, tmp_path, ids)


def test_a_database_that_dies_and_comes_back_is_waited_for(cradle, mortal_postgres, redis_server, tmp_path):
    url = mortal_postgres.url("postgres")
    db = Database(url)
    make_tables(db)
    bell = hang(db, redis_server.url)
    with db.transaction() as session:
        ids = [enqueue(session, "fulfil", {"slow": 0.3}).id for _ in range(4)]
    fleet = Fleet(cradle, url, redis_server.url, tmp_path)
    try:
        fleet.keep_going()
        wait_until(lambda: any(tmp_path.glob("target-*")), "the worker has begun", 20)
        mortal_postgres.stop()
        time.sleep(3)
        assert fleet.lives()
        mortal_postgres.start()
        run_until_over(db, fleet, bell, seconds=30)
        assert fleet.starts == 1, "the worker outlives the database"
        assert_each_effect_happened_once(db, tmp_path, ids)
    finally:
        fleet.kill()
        db.dispose()


def test_the_products_own_times_keep_the_promise_of_sixty_seconds():
    """A killed worker's task: its lease runs out, and whoever looks next takes it."""
    assert LEASE_SECONDS + max(LOOK_SECONDS, SWEEP_SECONDS) <= 60
    assert LEASE_SECONDS + REPEAT_WHEN_BUSY.total_seconds() <= 60
