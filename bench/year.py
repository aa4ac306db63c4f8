"""A year of an organisation: 10,000 requests made through the portal's own services, with its clock moved along.

    python -m bench.year --requests 10000 --home DIR [--database URL]

People ask, are approved, denied or forgotten, withdraw; targets refuse; emergencies are reviewed or are not; what was
given ends on its day. Everything is drawn from one seed, so that a year of so many requests is the same each time. A
folder that holds the year already is left as it is. For the measurements that need a portal with a past.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import heapq
import json
import random
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import event

from bench.year_events import HAPPENS
from bench.year_people import settle
from bench.year_portal import BEGIN, MovedClock, Year
from bench.year_targets import MemoryTarget
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.migrate import SCRIPTS, upgrade
from portal.core.settings import Settings
from portal.wiring import Portal, build

DAYS = 365
#: How often the portal's rounds come: enough for a year, and a hundredth of their work.
ROUND = timedelta(days=1)
DONE = "year.json"


def main() -> None:
    """Make the year and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--database", default="", help="URL; by default SQLite in the folder")
    asked = parser.parse_args()
    settings, told = year(asked.home, asked.requests, asked.database)
    Console().print(f"{settings.database_url}: {json.dumps(told)}")


def settings_of(home: Path, database: str = "") -> Settings:
    """The settings of the portal whose year is in this folder."""
    url = database or f"sqlite:///{home / 'year.db'}"
    return Settings.from_environment({"COUNTERSIGN_HOME": str(home), "DATABASE_URL": url})


def year(home: Path, requests: int = 10_000, database: str = "") -> tuple[Settings, dict[str, Any]]:
    """The settings of a portal with such a year in the folder, and what was counted; made when it is not there."""
    home.mkdir(parents=True, exist_ok=True)
    settings = settings_of(home, database)
    done = home / DONE
    wanted = {
        "requests": requests,
        "structure": _structure(),
        "database": settings.database_url.rpartition("@")[2],
    }
    if done.exists():
        told: dict[str, Any] = json.loads(done.read_text())
        if told.items() >= wanted.items():
            return settings, told
        message = f"{home} holds another year; take an empty folder"
        raise SystemExit(message)
    start = time.perf_counter()
    upgrade(settings)
    counted = _live(settings, requests)
    told = {**wanted, "seconds": round(time.perf_counter() - start), **counted}
    done.write_text(json.dumps(told, indent=1))
    return settings, told


def _structure() -> str:
    """The database's structure; before a release the one revision is written anew, so its name says nothing."""
    found = hashlib.sha256()
    for file in sorted((SCRIPTS / "versions").glob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _live(settings: Settings, requests: int) -> dict[str, int]:
    clock = MovedClock()
    portal = build(settings, clock=clock)
    _hurry(portal)
    targets = Connectors([MemoryTarget("directory"), MemoryTarget("network")])
    one = Year(replace(portal, connectors=targets), clock, random.Random(f"year of {requests}"))  # noqa: S311
    settle(one)
    # What is loaded by now stays: looking through it again and again takes a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    for number in range(requests):
        # More in the working hours, none at night.
        day, hour = one.draw.randrange(DAYS - 3), one.draw.triangular(0, 11, 3)
        one.later("ask", number, days=1 + day, hours=hour)
    for round_ in range(int(timedelta(days=DAYS) / ROUND)):
        one.later("round", round_, days=round_, hours=13)
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("A year", total=DAYS)
        while one.ahead:
            at, _, what, number = heapq.heappop(one.ahead)
            if at > BEGIN + timedelta(days=DAYS):
                break
            clock.time = max(at, clock.time)
            HAPPENS[what](one, number)
            one.work()
            progress.update(bar, completed=(clock.time - BEGIN).days)
    portal.db.dispose()
    return {**dict(sorted(one.counted.items()))}


def _hurry(portal: Portal) -> None:
    """A year that is lost to a power cut is made again: no commit waits for the disk."""
    sqlite = portal.db.engine.dialect.name == "sqlite"

    @event.listens_for(portal.db.engine, "connect")
    def hurry(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF" if sqlite else "SET synchronous_commit = off")
        cursor.close()
        if not sqlite:
            connection.commit()


if __name__ == "__main__":
    main()
