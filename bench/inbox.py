"""How an approver's inbox and a request's page keep their pace as decisions pile up.

    python -m bench.inbox [--pending 100000] [--few 100] [--own 50] [--url sqlite:///… | postgresql://…]

Seeds two databases, one with few pending decisions and one with many, in both of which one approver has the same
number of them, and opens the same pages in both through the whole application. Prints for each page the median
seconds, their ratio, and the number of statements. The ratio should stay below 1.5. `--own all` gives that approver
everything, which no filter or index can hide. With `--url` the database must exist and be empty, and only it is
measured, with `--pending` rows.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from approvals.decisions.model import CardOpening
from approvals.routing.model import Stage, StageApprover, StageState
from bench.replay import OFFERING, PEOPLE, people
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.app import create_app
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.web_sessions import start_session
from portal.tables import METADATA
from portal.wiring import build

APPROVER = 2
ROUNDS = 15
BATCH = 5_000
LEVELS = ("low", "medium", "high")
PAGES = ("/approvals", "/approvals?risk=high", "/approvals?by=person", "/requests/SR-000001")


def main() -> None:
    """Seed, open the pages, and print the table."""
    parser = argparse.ArgumentParser(
        description="Measure the inbox with few and with many pending decisions."
    )
    parser.add_argument("--pending", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument(
        "--own", default="50", help="How many of them wait for the measured approver, or all."
    )
    parser.add_argument("--url", default="", help="An empty database; else two new SQLite files.")
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        counts = [options.pending] if options.url else [options.few, options.pending]
        measured = []
        for count in counts:
            url = options.url or f"sqlite:///{folder}/pending-{count}.db"
            own = count if options.own == "all" else int(options.own)
            measured.append(measure(url, count, own, Path(folder) / f"home-{count}"))
    table = Table("page", *(f"{count:,} pending: ms" for count in counts), "ratio", "statements")
    for page in PAGES:
        seconds = [found[page][0] for found in measured]
        table.add_row(
            page,
            *(f"{one * 1000:.1f}" for one in seconds),
            f"{seconds[-1] / seconds[0]:.2f}",
            " / ".join(str(found[page][1]) for found in measured),
        )
    console.print(table)


def measure(url: str, pending: int, own: int, home: Path) -> dict[str, tuple[float, int]]:
    """By page, the median seconds of opening it and how many statements it takes."""
    settings = Settings.from_environment({"COUNTERSIGN_HOME": str(home), "DATABASE_URL": url})
    portal = build(settings)
    METADATA.create_all(portal.db.engine)
    seed(portal.db, pending, own)
    app = create_app(portal=portal)
    found = {page: _opened(app, portal.db, page) for page in PAGES}
    portal.db.dispose()
    return found


def seed(database: Database, pending: int, own: int) -> None:
    """People, one offering, and requests that each wait for one approver; the first `own` for the measured one."""
    source = (services_folder() / f"{OFFERING}.yaml").read_text(encoding="utf-8")
    # Not a session of the portal's own: what is written in bulk is written past the ledger.
    with Session(database.engine) as session, session.begin():
        people(session)
    with database.transaction() as session:
        version = publish(session, Actor(name="Bench", person_id=1), source, "bench.yaml").id
    at = datetime.now(UTC)
    for first in range(1, pending + 1, BATCH):
        numbers = range(first, min(first + BATCH, pending + 1))
        with database.transaction() as session:
            session.connection().execute(insert(Request), list(_requests(numbers, version, at)))
            session.connection().execute(insert(Stage), list(_stages(numbers, at)))
            session.connection().execute(
                insert(StageApprover),
                [
                    {
                        "stage_id": n,
                        "person_id": APPROVER if n <= own else 3 + n % (PEOPLE - 3),
                        "relation": "line manager of the beneficiary",
                        "rule": "line-manager:beneficiary",
                        "called": True,
                    }
                    for n in numbers
                ],
            )
            session.connection().execute(
                insert(CardOpening),
                [
                    {"person_id": APPROVER, "request_id": n, "seal": f"sha256:{n:064x}", "opened_at": at}
                    for n in numbers
                    if n % 2
                ],
            )
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def _requests(numbers: range, version: int, at: datetime) -> Iterator[dict[str, Any]]:
    for n in numbers:
        requester = 3 + n * 7 % (PEOPLE - 3)
        yield {
            "id": n,
            "number": n,
            "reference": f"SR-{n:06d}",
            "offering_version_id": version,
            "requester_id": requester,
            "beneficiary_id": requester,
            "editor_id": requester,
            "unit_id": requester % 4 + 1,
            "title": f"A role for key account {n}",
            "reason": "For the work.",
            "answers": {"person": f"person.{requester}", "reason": "For the work."},
            "state": State.PENDING,
            "revision": 1,
            "submitted_at": at - timedelta(minutes=n),
            "risk": {"level": LEVELS[n % 3], "score": n % 60, "reasons": []},
            "plans": [],
            "route": [],
            "seal": f"sha256:{n:064x}",
            "sealed_at": at,
        }


def _stages(numbers: range, at: datetime) -> Iterator[dict[str, Any]]:
    for n in numbers:
        yield {
            "id": n,
            "request_id": n,
            "revision": 1,
            "position": 1,
            "slug": "line-manager",
            "name": "Line manager",
            "target_minutes": 480,
            "state": StageState.OPEN,
            "opened_at": at,
            "due_at": at + timedelta(minutes=n % 5000),
        }


def _opened(app: Flask, database: Database, page: str) -> tuple[float, int]:
    client = app.test_client()
    with database.transaction() as session:
        row, token = start_session(session, {})
        row.person_id, row.auth_time = APPROVER, database.clock()
    client.set_cookie("countersign", token)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    seconds = []
    for number in range(ROUNDS + 2):  # the first ones fill caches and start the form's session
        statements.clear()
        event.listen(database.engine, "before_cursor_execute", note)
        start = time.process_time() if database.engine.dialect.name == "sqlite" else time.perf_counter()
        status = client.get(page).status_code
        end = time.process_time() if database.engine.dialect.name == "sqlite" else time.perf_counter()
        event.remove(database.engine, "before_cursor_execute", note)
        assert status == HTTPStatus.OK, f"{page} answered {status}"  # noqa: S101  (error pages would lie)
        if number > 1:
            seconds.append(end - start)
    return statistics.median(seconds), len(statements)


if __name__ == "__main__":
    main()
