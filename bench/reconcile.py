"""How long reconciling a large estate takes, and how long one answer to "Who allowed this?".

    python -m bench.reconcile [--entitlements 10000] [--drift 100] [--url sqlite:///… | postgresql://…]

Seeds an estate on a target in memory and its record, reads it clean, seeds so many drifts of each kind, and reads it
again. Prints the seconds of each reading, their ratio to reading the live list and the rows alone in the same run, what
was found, the most memory that a reading took beyond what the estate itself takes, and the processor milliseconds of
answers by address, port, account and serial number. Exits with 1 for a finding too many or too few.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from bench.inbox import _requests
from bench.replay import OFFERING, people
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.explaining.answering import explain
from catalog.explaining.index import index_entitlement
from catalog.explaining.model import Trace
from catalog.fulfilment.connectors.contract import Live, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step, StepState
from catalog.offerings.publish import publish
from catalog.reconciliation.model import Finding, FindingKind, FindingState
from catalog.reconciliation.reading import read_target
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.tables import METADATA
from portal.wiring import build

KIND = "estate"
BATCH = 2_000
ROUNDS = 15
READER = Actor("Bench", roles=frozenset({"auditor"}))


@dataclass
class Estate:
    """A target in memory: rules by number, each with its facts."""

    kind: str = KIND
    rules: dict[int, dict[str, Any]] = field(default_factory=dict)

    def live(self) -> Iterable[Live]:
        """One after the other, as a target that is read page by page gives them."""
        for number, rule in self.rules.items():
            yield Live(f"{KIND}:{number}", f"Rule {number}", rule, f"SR-{number:06d}")

    def expected_facts(self, plan: Plan) -> dict[str, Any]:
        """The rule to the letter."""
        return dict(plan.document["rule"])

    def entitlement_key(self, plan: Plan) -> str:
        """Its number."""
        return f"{KIND}:{plan.document['number']}"


def main() -> None:
    """Seed, read, and print the table."""
    parser = argparse.ArgumentParser(description="Measure reconciliation and explanations.")
    parser.add_argument("--entitlements", type=int, default=10_000)
    parser.add_argument("--drift", type=int, default=100, help="So many of each kind.")
    parser.add_argument("--url", default="", help="An empty database; else a new SQLite file.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/estate.db"
        settings = Settings.from_environment({"COUNTERSIGN_HOME": f"{folder}/home", "DATABASE_URL": url})
        portal = build(settings)
        METADATA.create_all(portal.db.engine)
        right = measure(portal.db, options.entitlements, options.drift, Console(width=120))
        portal.db.dispose()
    sys.exit(0 if right else 1)


def measure(db: Database, count: int, drift: int, console: Console) -> bool:
    """Whether exactly what was seeded was found; the figures are printed."""
    estate = Estate(rules={number: _rule(number) for number in range(1, count + 1)})
    connectors = Connectors([estate])  # type: ignore[list-item]  # all that reconciliation asks of it
    seed(db, estate)
    alone, _ = _timed(lambda: _read_alone(db, estate))
    clean_seconds, clean = _timed(lambda: read_target(db, connectors, KIND))
    tracemalloc.start()
    read_target(db, connectors, KIND)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    seed_drift(estate, drift)
    drift_seconds, drifted = _timed(lambda: read_target(db, connectors, KIND))
    again_seconds, again = _timed(lambda: read_target(db, connectors, KIND))
    found = _found(db)
    table = Table("reading", "seconds", "ratio", "live", "explained", "new findings")
    table.add_row("list and rows alone", f"{alone:.2f}", "1.0", "", "", "")
    for name, seconds, reading in (
        ("clean", clean_seconds, clean),
        ("with drift", drift_seconds, drifted),
        ("the same again", again_seconds, again),
    ):
        table.add_row(
            name,
            f"{seconds:.2f}",
            f"{seconds / alone:.1f}",
            f"{reading.live:,}",
            f"{reading.explained:,}",
            f"{reading.opened:,}",
        )
    console.print(table)
    console.print(f"memory of a reading: {memory / 1024 / 1024:.1f} MiB; found: {found}")
    console.print(_answers(db, count))
    return clean.opened == 0 and again.opened == 0 and found == dict.fromkeys(FindingKind, drift)


def seed(db: Database, estate: Estate) -> None:
    """A fulfilled request, a step and an entitlement for each rule, and the index of their names."""
    source = (services_folder() / f"{OFFERING}.yaml").read_text(encoding="utf-8")
    # Not a session of the portal's own: what is written in bulk is written past the ledger.
    with Session(db.engine) as session, session.begin():
        people(session)
    with db.transaction() as session:
        version = publish(session, Actor(name="Bench", person_id=1), source, "bench.yaml").id
    at = datetime.now(UTC) - timedelta(days=1)
    numbers = list(estate.rules)
    for first in range(0, len(numbers), BATCH):
        batch = numbers[first : first + BATCH]
        with db.transaction() as session:
            requests = [
                {**row, "state": State.FULFILLED, "fulfilled_at": at}
                for row in _requests(range(batch[0], batch[-1] + 1), version, at)
            ]
            session.connection().execute(insert(Request), requests)
            session.connection().execute(insert(Step), list(_steps(batch, estate)))
            session.connection().execute(
                insert(Entitlement), list(_entitlements(batch, estate, requests, at))
            )
        with db.transaction() as session:
            rows = session.scalars(
                select(Entitlement).where(Entitlement.id.in_(batch)).order_by(Entitlement.id)
            )
            for entitlement in rows.all():
                index_entitlement(session, entitlement)
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def seed_drift(estate: Estate, drift: int) -> None:
    """So many rules go, so many come, and so many change, behind the portal's back."""
    numbers = list(estate.rules)
    for number in numbers[:drift]:
        del estate.rules[number]
    for number in numbers[drift : 2 * drift]:
        estate.rules[number] = {**estate.rules[number], "ports": ["1-65535"]}
    last = numbers[-1]
    for number in range(last + 1, last + 1 + drift):
        estate.rules[number] = _rule(number)


def _rule(number: int) -> dict[str, Any]:
    return {
        "sources": [f"10.{number // 65536 % 64}.{number // 256 % 256}.{number % 256}/32"],
        "destinations": [f"10.{64 + number % 8}.0.0/16"],
        "ports": [str(1024 + number % 8000)],
        "protocol": "tcp",
        "serial": f"{number * 7919:x}a5a5a5",
        "user_name": f"person.{number}",
    }


def _plan(number: int, rule: dict[str, Any]) -> dict[str, Any]:
    plan = Plan(KIND, "allow", "the estate", (), {"number": number, "rule": rule}, {"remove": number})
    return {"step": "allow", "name": "Allow it", **plan.to_json()}


def _steps(batch: list[int], estate: Estate) -> Iterator[dict[str, Any]]:
    for number in batch:
        yield {
            "id": number,
            "request_id": number,
            "revision": 1,
            "attempt": 1,
            "position": 1,
            "name": "Allow it",
            "connector": KIND,
            "plan": _plan(number, estate.rules[number]),
            "key": f"estate/{number}",
            "state": StepState.DONE,
            "outcome": {},
            "read_back": {},
            "error": "",
            "drifted": False,
        }


def _entitlements(
    batch: list[int], estate: Estate, requests: list[dict[str, Any]], at: datetime
) -> Iterator[dict[str, Any]]:
    for number, request in zip(batch, requests, strict=True):
        yield {
            "id": number,
            "request_id": number,
            "step_id": number,
            "person_id": request["beneficiary_id"],
            "connector": KIND,
            "target": "the estate",
            "key": f"{KIND}:{number}",
            "label": f"Rule {number}",
            "facts": {"number": number, "rule": estate.rules[number]},
            "state": EntitlementState.LIVE,
            "granted_at": at,
        }


def _read_alone(db: Database, estate: Estate) -> int:
    """What no comparison can do without: the live list, and every row with its plan."""
    live = sum(1 for _ in estate.live())
    with db.reading() as session:
        rows = session.execute(select(Entitlement.key, Step.plan).join(Step, Step.id == Entitlement.step_id))
        return live + sum(1 for _ in rows)


def _found(db: Database) -> dict[FindingKind, int]:
    with db.reading() as session:
        rows = session.execute(
            select(Finding.kind, func.count())
            .where(Finding.state == FindingState.OPEN)
            .group_by(Finding.kind)
            .order_by(Finding.kind)
        )
        return {row.kind: row[1] for row in rows}


def _answers(db: Database, count: int) -> Table:
    rule = _rule(count // 2)
    asked = {
        "address": rule["sources"][0].partition("/")[0],
        "network": "10.0.1.0/24",
        "address in many rules": "10.65.1.2",
        "port": rule["ports"][0],
        "account": rule["user_name"],
        "serial number": rule["serial"],
        "nothing": "192.0.2.77",
    }
    with db.reading() as session:
        traces = session.scalar(select(func.count()).select_from(Trace))
    table = Table(f"answer, of {traces:,} names", "milliseconds of the processor", "answers")
    for name, value in asked.items():
        spent = []
        answers = 0
        for _ in range(ROUNDS):
            with db.reading() as session:
                start = time.process_time()
                answers = len(explain(session, READER, value).allowed)
                spent.append(time.process_time() - start)
        table.add_row(f"{name}: {value}", f"{statistics.median(spent) * 1000:.1f}", str(answers))
    return table


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
