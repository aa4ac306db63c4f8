"""How fast the pages of figures are over a year of requests.

    python -m bench.figures [--requests 10000] [--url sqlite:///… | postgresql://…]

Seeds a database with so many requests of one year, decided, refused and under way, and opens each page of figures through
the whole application for the whole year. Prints the median seconds and the number of statements. With `--url` the
database must exist and be empty.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from approvals.decisions.model import CardOpening, Decision, Verdict
from approvals.emergency.model import Cause, Review, ReviewState
from approvals.routing.model import Stage, StageApprover, StageState
from bench.replay import OFFERING, PEOPLE, people
from catalog.offerings.publish import publish
from catalog.reconciliation.model import Reading
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.app import create_app
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership
from portal.identity.web_sessions import start_session
from portal.tables import METADATA
from portal.wiring import build

READER = 2
ROUNDS = 7
BATCH = 5_000
OFFERINGS = (OFFERING, "firewall-rule", "tls-certificate", "database-access")
STAGES = (
    ("line-manager", "Line manager"),
    ("owner", "Owner of the system"),
    ("security", "Network security"),
)
PAGES = ("speed", "resting", "estate", "care")
STATES = (
    *(State.FULFILLED,) * 12,
    State.REJECTED,
    State.REFUSED,
    State.WITHDRAWN,
    State.PENDING,
    State.FAILED,
)


def main() -> None:
    """Seed, open the pages, and print the table."""
    parser = argparse.ArgumentParser(description="Measure the pages of figures over a year of requests.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--url", default="", help="An empty database; else a new SQLite file.")
    options = parser.parse_args()
    table = Table("page", "ms", "statements")
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/figures.db"
        for page, seconds, statements in measure(url, options.requests, Path(folder) / "home"):
            table.add_row(page, f"{seconds * 1000:.0f}", str(statements))
    Console(width=100).print(table)


def measure(url: str, requests: int, home: Path) -> Iterator[tuple[str, float, int]]:
    """Each page with the median seconds of opening it and how many statements it takes."""
    settings = Settings.from_environment({"COUNTERSIGN_HOME": str(home), "DATABASE_URL": url})
    portal = build(settings)
    METADATA.create_all(portal.db.engine)
    seed(portal.db, requests)
    client = create_app(portal=portal).test_client()
    client.set_cookie("countersign", signed_in(portal.db))
    statements: list[str] = []
    event.listen(portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for page in PAGES:
        seconds = []
        for _ in range(ROUNDS):
            statements.clear()
            start = time.perf_counter()
            status = client.get(f"/figures/{page}?period=year").status_code
            seconds.append(time.perf_counter() - start)
            assert status == HTTPStatus.OK, f"{page} answered {status}"  # noqa: S101  (error pages would lie)
        yield page, median(seconds[1:]), len(statements)
    portal.db.dispose()


def signed_in(database: Database) -> str:
    """A session of the reader, who is of compliance; gives its token."""
    with database.transaction() as session:
        row, token = start_session(session, {})
        row.person_id, row.auth_time = READER, database.clock()
    return token


def seed(database: Database, requests: int) -> None:
    """People, offerings, and the requests of a year that ends now."""
    # A session of its own: rows in bulk are written past the ledger, which is not what is measured.
    with Session(database.engine) as session, session.begin():
        people(session)
        session.add(Group(id=9_999, slug="compliance", name="Compliance", roles=["compliance"]))
        session.flush()
        session.add(Membership(group_id=9_999, person_id=READER))
    versions = []
    for slug in OFFERINGS:
        source = (services_folder() / f"{slug}.yaml").read_text(encoding="utf-8")
        with database.transaction() as session:
            versions.append(publish(session, Actor(name="Bench", person_id=1), source, f"{slug}.yaml").id)
    at = datetime.now(UTC).replace(microsecond=0)
    day_of_year = at.timetuple().tm_yday
    apart = timedelta(days=max(day_of_year - 1, 1)) / requests
    # Straight into the tables: what the ledger would say of each is not what is measured.
    with database.engine.begin() as connection:
        for first in range(1, requests + 1, BATCH):
            rows: dict[type, list[dict[str, Any]]] = {
                table: [] for table in (Request, Stage, StageApprover, Decision, CardOpening, Review)
            }
            for n in range(first, min(first + BATCH, requests + 1)):
                _add(rows, n, versions[n % len(versions)], at - apart * (requests - n), at)
            for table, found in rows.items():
                connection.execute(insert(table), found)
        connection.execute(insert(Reading), [_reading(n, at) for n in range(1, 7)])
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def _add(rows: dict[type, list[dict[str, Any]]], n: int, version: int, made: datetime, at: datetime) -> None:
    state = STATES[n % len(STATES)]
    if state is State.PENDING and at - made > timedelta(days=20):
        state = State.FULFILLED
    requester = 3 + n * 7 % (PEOPLE - 3)
    took = timedelta(hours=1 + n * n % 90)
    done = min(made + took, at)
    over = {State.FULFILLED: {"fulfilled_at": done}, State.PENDING: {"baton_since": made}}
    rows[Request].append(
        {
            "id": n,
            "number": n,
            "reference": f"SR-{n:06d}",
            "offering_version_id": version,
            "requester_id": requester,
            "beneficiary_id": requester,
            "editor_id": requester,
            "unit_id": requester % 4 + 1,
            "title": f"A role for key account {n}",
            "answers": {},
            "state": state,
            "revision": 1,
            "submitted_at": made,
            "promised_by": made + timedelta(hours=72),
            "seal": f"sha256:{n:064x}",
            "fulfilled_at": None,
            "closed_at": done if state in {State.REJECTED, State.REFUSED, State.WITHDRAWN} else None,
            "baton_since": None,
            **over.get(state, {}),
        }
    )
    slug, name = STAGES[n % len(STAGES)]
    decided = state in {State.FULFILLED, State.REJECTED, State.FAILED}
    verdict = StageState.REJECTED if state is State.REJECTED else StageState.APPROVED
    rows[Stage].append(
        {
            "id": n,
            "request_id": n,
            "revision": 1,
            "position": 1,
            "slug": slug,
            "name": name,
            "target_minutes": 480,
            "state": verdict if decided else StageState.OPEN if state is State.PENDING else StageState.CLOSED,
            "opened_at": made,
            "due_at": made + timedelta(days=1),
            "closed_at": None if state is State.PENDING else done,
        }
    )
    approver = 3 + n % 40
    rows[StageApprover].append(
        {
            "stage_id": n,
            "person_id": approver,
            "relation": "line manager",
            "rule": "line-manager",
            "called": True,
        }
    )
    rows[CardOpening].append(
        {
            "person_id": approver,
            "request_id": n,
            "seal": "seal",
            "opened_at": done - timedelta(seconds=2 + n * n % 4_000),
        }
    )
    if decided:
        rows[Decision].append(
            {
                "id": n,
                "request_id": n,
                "revision": 1,
                "stage_id": n,
                "person_id": approver,
                "verdict": Verdict.DENY if state is State.REJECTED else Verdict.APPROVE,
                "seal": "seal",
                "decided_at": done,
                "auth_time": done,
            }
        )
    if n % 100 == 0:
        rows[Review].append(_review(n, made, at))


def _review(n: int, made: datetime, at: datetime) -> dict[str, Any]:
    old = at - made > timedelta(days=2)
    return {
        "id": n,
        "request_id": n,
        "revision": 1,
        "cause": Cause.EMERGENCY,
        "state": ReviewState.RIGHT if old else ReviewState.OPEN,
        "opened_at": made,
        "due_at": made + timedelta(days=1),
        "closed_at": made + timedelta(hours=9) if old else None,
    }


def _reading(n: int, at: datetime) -> dict[str, Any]:
    return {
        "id": n,
        "connector": ("access", "ca", "database", "directory", "firewall", "ssh")[n - 1],
        "started_at": at,
        "finished_at": at,
        "was_read": n != 3,  # noqa: PLR2004  (one that did not answer)
        "why": "The database does not answer." if n == 3 else "",  # noqa: PLR2004
        "live": n * 100,
        "explained": n * 100 - (n - 1) * 7,
    }


if __name__ == "__main__":
    main()
