"""How fast a replay is: 10,000 past requests in SQLite, and a plain decode and compare of the same rows beside it.

    python -m bench.replay [--requests 10000]

Prints one row of a table: seconds, requests a second, peak memory of the process, and how many times slower a replay
is than the baseline of the same run (read the rows, decode their JSON, compare), which is the least that anything
could do that looks at every request.
"""

# ruff: noqa: RUF001  (roles are named with the dash that the catalogue has)

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from approvals.routing.book import RouteBook
from catalog.offerings.publish import publish
from catalog.offerings.reading import read_offering
from catalog.requests.model import Request
from catalog.versions.replay import replay
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person, Unit
from portal.tables import METADATA

OFFERING = "application-access"
PEOPLE = 2000
UNITS = (
    ("Europe/Berlin", "DE"),
    ("Europe/Lisbon", "PT"),
    ("America/New_York", "US"),
    ("Asia/Singapore", "SG"),
)
GROUPS = ("crm-owners", "erp-owners", "platform-owners", "catalogue-owners")
ROLES = (
    "CRM – Sales user",
    "CRM – Administrator",
    "ERP – Finance clerk",
    "HR records – Reader",
    "Plant control – Operator",
)
MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)


def main() -> None:
    """Seed, replay, and print the row."""
    parser = argparse.ArgumentParser(description="Measure a replay of past requests.")
    parser.add_argument("--requests", type=int, default=10_000)
    requests: int = parser.parse_args().requests
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/replay.db")
        METADATA.create_all(database.engine)
        source = (services_folder() / f"{OFFERING}.yaml").read_text(encoding="utf-8")
        seed(database, source, requests)
        baseline = timed(lambda: decode_and_compare(Path(folder) / "replay.db", database))
        draft = read_offering(stricter(source), "draft.yaml")
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("Requests", total=requests)
            start, spent = time.perf_counter(), time.process_time()
            report = replay(
                database,
                draft,
                make_routes=RouteBook,
                progress=lambda done, total: bar.update(task, completed=done),
            )
            seconds, cpu = time.perf_counter() - start, time.process_time() - spent
        database.dispose()
    assert report.requests == requests  # noqa: S101  (a bench that measured less would lie)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table = Table(
        "requests",
        "seconds",
        "of them CPU",
        "requests/s",
        "peak MB",
        "baseline CPU s",
        "times baseline",
        "refused",
        "routes changed",
    )
    table.add_row(
        f"{requests:,}",
        f"{seconds:.1f}",
        f"{cpu:.1f}",
        f"{requests / seconds:,.0f}",
        f"{peak:,.0f}",
        f"{baseline:.2f}",
        f"{cpu / baseline:,.0f}",
        f"{report.refused:,}",
        f"{report.routes_changed:,}",
    )
    console.print(table)


def stricter(source: str) -> str:
    """A draft that refuses some, raises the risk of others, and asks more people."""
    for old, new in (
        ("longest_days: 365", "longest_days: 300"),
        ("levels: {medium: 20, high: 50, critical: 80}", "levels: {medium: 10, high: 30, critical: 80}"),
        (
            "approvers: {owner_of: role}\n      target: 8h",
            "approvers: {owner_of: role}\n      quorum: 2\n      target: 16h",
        ),
    ):
        assert old in source, old  # noqa: S101  (as above)
        source = source.replace(old, new)
    return source


def timed(action: Any) -> float:
    """Seconds of this process that the action takes: other work on the machine does not count."""
    start = time.process_time()
    action()
    return time.process_time() - start


def decode_and_compare(file: Path, database: Database) -> int:
    """The baseline: every row's JSON decoded and compared with another's, and nothing understood."""
    with database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT answers, submitted_at FROM request ORDER BY number DESC")
        ).all()
    last: Any = None
    differing = 0
    for answers, _ in rows:
        decoded = json.loads(answers)
        differing += decoded != last
        last = decoded
    return differing


def seed(database: Database, source: str, requests: int) -> None:
    """People in four countries, the offering, and requests of a year; written in bulk."""
    # Not a session of the portal's own: what is written in bulk is written past the ledger.
    with Session(database.engine) as session, session.begin():
        people(session)
    with database.transaction() as session:
        version = publish(session, Actor(name="Bench", person_id=1), source, "bench.yaml")
        session.connection().execute(insert(Request), list(rows(version.id, requests)))


def people(session: Session) -> None:
    """Every tenth person is a manager of the nine after them; owners come from everywhere."""
    session.connection().execute(
        insert(Unit),
        [
            {
                "id": n,
                "slug": f"unit-{n}",
                "name": f"Unit {n}",
                "timezone": zone,
                "country": country,
                "head_id": n,
            }
            for n, (zone, country) in enumerate(UNITS, start=1)
        ],
    )
    session.connection().execute(
        insert(Person),
        [
            {
                "id": n,
                "issuer": "https://sso.test",
                "subject": f"s-{n}",
                "user_name": f"person.{n}",
                "name": f"Person {n}",
                "email": f"person.{n}@meridian.example",
                "title": "",
                "unit_id": n % len(UNITS) + 1,
                "manager_id": None if n == 1 else 1 if n % 10 == 1 else n - (n - 1) % 10,
                "timezone": UNITS[n % len(UNITS)][0],
                "locale": "en",
                "active": n % 97 != 0,
            }
            for n in range(1, PEOPLE + 1)
        ],
    )
    session.connection().execute(
        insert(Group),
        [{"id": n, "slug": slug, "name": slug, "roles": []} for n, slug in enumerate(GROUPS, start=1)],
    )
    session.connection().execute(
        insert(Membership),
        [
            {"group_id": group, "person_id": group * 100 + n}
            for group in range(1, len(GROUPS) + 1)
            for n in range(12)
        ],
    )


def rows(version_id: int, requests: int) -> Iterator[dict[str, Any]]:
    """Requests as they were submitted over a year, each with answers of its own."""
    for n in range(1, requests + 1):
        at = MONDAY + timedelta(minutes=n * 525_600 // requests)
        requester = n * 7 % PEOPLE + 1
        beneficiary = requester if n % 3 else n * 13 % PEOPLE + 1
        yield {
            "number": n,
            "reference": f"SR-{n:06d}",
            "offering_version_id": version_id,
            "requester_id": requester,
            "beneficiary_id": beneficiary,
            "editor_id": requester,
            "unit_id": requester % len(UNITS) + 1,
            "title": "A role",
            "reason": "For the work.",
            "answers": {
                "person": f"person.{beneficiary}",
                "role": ROLES[n % len(ROLES)],
                "reason": f"Takes over key account {n} and keeps its orders up to date.",
                "until": (at + timedelta(days=5 + n % 340)).date().isoformat(),
            },
            "state": "fulfilled",
            "revision": 1,
            "submitted_at": at,
        }


if __name__ == "__main__":
    main()
