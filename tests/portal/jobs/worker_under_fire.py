"""A real worker for the kill tests: its handler does three steps on a target, a file, and records each.

Run as: python worker_under_fire.py
Each line of its input, the JSON list [DATABASE_URL, REDIS_URL|"-", TARGET, LEASE_SECONDS], has a worker begin in a
process group of its own, forked with everything imported; its number is answered. A task's payload may name a point at
which the whole process group kills itself, once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from sqlalchemy import text

from portal.core.database import Database
from portal.core.settings import Settings
from portal.jobs import Job, Workshop
from portal.jobs.loops import work

STEPS = ("plan", "apply", "notify")
#: Every instant between two instructions that matter: before a step, after its effect, after its record.
POINTS = [f"{step}:{moment}" for step in STEPS for moment in ("before", "effected", "recorded")] + [
    "finished"
]


def main(database_url: str, redis_url: str, target: str, lease: str) -> None:
    db = Database(database_url)
    folder = Path(target)

    def die_at(job: Job, point: str) -> None:
        mark = folder / f"killed-{job.id}"
        if job.payload.get("die_at") == point and not mark.exists():
            mark.touch()
            os.killpg(os.getpgrp(), signal.SIGKILL)

    def fulfil(job: Job) -> None:
        for number, step in enumerate(STEPS):
            with job.reading() as session:
                recorded = session.scalar(text("SELECT done FROM fulfilment WHERE task = :t"), {"t": job.id})
            if recorded is not None and recorded > number:
                continue
            die_at(job, f"{step}:before")
            apply(folder / f"target-{job.id}", key=f"{job.id}/{step}")
            time.sleep(job.payload.get("slow", 0))
            die_at(job, f"{step}:effected")
            with job.transaction() as session:
                session.execute(text("DELETE FROM fulfilment WHERE task = :t"), {"t": job.id})
                session.execute(
                    text("INSERT INTO fulfilment VALUES (:t, :d)"), {"t": job.id, "d": number + 1}
                )
            die_at(job, f"{step}:recorded")
        with job.transaction() as session:
            session.execute(text("INSERT INTO outcome (task) VALUES (:t)"), {"t": job.id})
            job.finish(session)
        die_at(job, "finished")

    def poison(job: Job) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings.from_environment({"COUNTERSIGN_HOME": target})
    shop = Workshop(
        db=db, settings=settings, handlers={"fulfil": fulfil, "poison": poison}, lease_seconds=float(lease)
    )
    (folder / "ready").touch()
    work(shop, None if redis_url == "-" else redis_url, stop=lambda: False)


def apply(target: Path, key: str) -> None:
    """A target that keeps what was done under which key: read before write, as connectors do."""
    if target.exists() and key in target.read_text().splitlines():
        return
    with target.open("a") as file:
        file.write(f"{key}\n")


def begin_workers() -> None:
    """One for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                main(*json.loads(line))
            finally:
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    begin_workers()
