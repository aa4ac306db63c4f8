"""Whoever can write to Redis can make noise, and nothing else."""

from __future__ import annotations

import json
import time
import zlib
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from rq import Callback, Queue, Retry, Worker
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from portal.jobs import Task, TaskState, enqueue, run_task
from portal.jobs.doorbell import RING, hang
from portal.jobs.ring import RingWorker
from tests.fixtures_servers import wait_until

TOUCH = "pathlib.Path.touch"


@pytest.fixture
def hear(redis_server):
    """Lets a worker listen until nothing lies in Redis; gives what it was rung for and what came of it."""

    def listen(run=lambda task_id: False):
        heard = []
        with redis_server.client as client:
            worker = RingWorker("default", client, lambda task_id: heard.append((task_id, run(task_id))))
            worker.listen(stop=lambda: client.llen("rq:queue:default") == 0, between=lambda: None)
        return heard

    return listen


@pytest.fixture
def run(workshop):
    return partial(run_task, workshop(note=lambda job: None))


def test_a_ring_carries_the_tasks_number_and_nothing_else(db, redis_server, hear, run):
    hang(db, redis_server.url)
    with db.transaction() as session:
        task = enqueue(session, "note", {"secret": "never in Redis"})
    with redis_server.client as client:
        (job_id,) = client.lrange("rq:queue:default", 0, -1)
        stored = client.hgetall(b"rq:job:" + job_id)
    assert json.loads(zlib.decompress(stored[b"data"])) == [RING, None, [task.id], {}]
    assert b"never in Redis" not in b"".join(stored.values())
    assert hear(run) == [(task.id, True)]
    with db.reading() as session:
        assert session.get_one(Task, task.id).state is TaskState.DONE
    with redis_server.client as client:
        assert client.keys("rq:job:*") == []


def forge(client, tmp_path, **more):
    queue = Queue("default", connection=client, serializer=JSONSerializer)
    return queue.enqueue_call(**{"func": RING, "args": (1,), **more})


def test_a_stock_worker_would_run_the_forged_job_so_the_refusal_is_ours(redis_server, tmp_path):
    mark = tmp_path / "ran"
    with redis_server.client as client:
        from rq import SimpleWorker

        Queue("default", connection=client, serializer=JSONSerializer).enqueue_call(
            "os.mkdir", args=(str(mark),)
        )
        SimpleWorker(["default"], connection=client, serializer=JSONSerializer).work(burst=True)
    assert mark.exists()


@pytest.mark.parametrize(
    "forged",
    [
        {"func": "os.mkdir", "args": ("{mark}",)},
        {"func": "os.mkdir", "kwargs": {"path": "{mark}"}, "args": ()},
        {"func": RING, "args": ("{mark}",)},
        {"func": RING, "args": (1, 2)},
        {"func": RING, "args": ()},
        {"func": RING, "args": (True,)},
        {"func": RING, "args": (-1,)},
        {"func": RING, "args": (10**30,)},
        {"func": RING, "args": (1,), "kwargs": {"path": "{mark}"}},
        {"func": "portal.jobs.runner.run_task", "args": (1,)},
    ],
    ids=str,
)
def test_a_forged_job_is_refused_and_thrown_away(redis_server, hear, tmp_path, forged):
    mark = tmp_path / "ran"
    said = json.loads(json.dumps(forged).replace("{mark}", str(mark)))
    with redis_server.client as client:
        forge(client, tmp_path, **said)
        assert hear() == []
        assert not mark.exists()
        assert client.keys("rq:job:*") == []


def test_a_forged_pickle_is_refused(redis_server, hear, tmp_path):
    mark = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            import os

            return os.mkdir, (str(mark),)

    with redis_server.client as client:
        Queue("default", connection=client).enqueue_call("os.getcwd", args=(Bomb(),), meta={"m": Bomb()})
        assert hear() == []
    assert not mark.exists()


def test_rubbish_in_redis_stops_no_worker(db, redis_server, hear, run):
    hang(db, redis_server.url)
    with redis_server.client as client:
        for name, fields in {
            "rubbish": {"data": b"\xff\xfe", "created_at": "never", "timeout": "x", "status": "what"},
            "bomb": {"data": zlib.compress(b"[" * 50_000_000)},
            "empty": {"data": b""},
            "nothing": {"origin": "default"},
        }.items():
            client.hset(f"rq:job:{name}", mapping=fields)
            client.rpush("rq:queue:default", name)
        client.rpush("rq:queue:default", "no-such-job", b"\xff")
        with db.transaction() as session:
            task = enqueue(session, "note", {})
        assert hear(run) == [(task.id, True)]


def test_callbacks_webhooks_and_retries_of_a_forged_ring_do_nothing(redis_server, hear, tmp_path):
    mark = tmp_path / "ran"
    called = []

    class Catcher(BaseHTTPRequestHandler):
        def do_GET(self):
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Catcher) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with redis_server.client as client:
            forge(
                client,
                tmp_path,
                on_success=Callback("os.system"),
                on_failure=Callback("os.system"),
                webhooks=[Webhook(f"http://127.0.0.1:{server.server_port}/x", "finished")],
                retry=Retry(max=5),
                description=f"touch {mark}",
            )
            assert hear() == [(1, False)]
            assert client.llen("rq:queue:default") == 0
        server.shutdown()
    assert called == []
    assert not mark.exists()


def test_ringing_a_dead_redis_is_quick_and_loses_nothing(db, redis_server, workshop):
    hang(db, redis_server.url)
    redis_server.kill()
    begun = time.monotonic()
    for _ in range(20):
        with db.transaction() as session:
            enqueue(session, "note", {})
    assert time.monotonic() - begun < 5
    with db.reading() as session:
        assert session.query(Task).filter_by(state=TaskState.WAITING).count() == 20


def test_a_stock_rq_worker_can_run_nothing_by_a_ring(db, redis_server):
    hang(db, redis_server.url)
    with db.transaction() as session:
        enqueue(session, "note", {})
    with redis_server.client as client:
        from rq import SimpleWorker

        worker = SimpleWorker(["default"], connection=client, serializer=JSONSerializer)
        worker.work(burst=True)
        wait_until(lambda: client.llen("rq:queue:default") == 0, "the ring was taken")
        assert worker.successful_job_count == 0
        assert Worker.count(connection=client) == 0
    with db.reading() as session:
        assert session.query(Task).one().state is TaskState.WAITING
