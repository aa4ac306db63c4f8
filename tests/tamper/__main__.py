"""The long form: 1,000 random changes and 100 clean runs on each database. `make tamper`

    python -m tests.tamper [--changes 1000] [--clean 100] [--files 10] [--database sqlite|postgresql] [--seed 1]

Every change must be found, and a finding must name the entry, row or file that was changed; no clean run may raise an
alarm. Exit status 1 otherwise. A change is told by its seed, so that it can be made again.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.fixtures_servers import PostgresServer, running_postgres
from tests.tamper.evidence_files import FILE_KINDS, play_files
from tests.tamper.playing import Outcome, clean_run, estate_on, kinds_for, play

DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """Play everything and print a table for each database."""
    parser = argparse.ArgumentParser(prog="python -m tests.tamper", description="Change everything once.")
    parser.add_argument("--changes", type=int, default=1000, help="random changes on each database")
    parser.add_argument("--clean", type=int, default=100, help="runs that nobody interferes with")
    parser.add_argument("--files", type=int, default=10, help="changes of each kind to a real evidence file")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console, good = Console(width=140), True
    logging.disable(logging.CRITICAL)
    for database in [options.database] if options.database else DATABASES:
        with _server(database) as server, Progress(console=Console(stderr=True), transient=True) as bar:
            outcomes = list(_changes(bar, server, options))
            alarms = [
                f"story {seed}: {found.sentence}"
                for seed in bar.track(range(options.clean), description=f"{database}: clean runs")
                for found in clean_run(server, seed)
            ]
        console.print(_table(database, outcomes))
        console.print(f"{database}: {options.clean} clean runs, {len(alarms)} alarms.")
        for line in [outcome.told for outcome in outcomes if not outcome.named] + alarms:
            console.print(f"✗ {line}", style="red", markup=False, highlight=False)
            good = False
    return 0 if good else 1


def _changes(bar: Progress, server: PostgresServer | None, options: argparse.Namespace) -> Iterator[Outcome]:
    kinds = kinds_for(options.changes - options.files * len(FILE_KINDS), options.seed)
    with estate_on(server) as estate:
        for turn, kind in enumerate(bar.track(kinds, description="changes")):
            yield play(estate, kind, f"{options.seed} {turn}")
        if options.files:
            yield from bar.track(
                play_files(estate, options.files, options.seed),
                total=options.files * len(FILE_KINDS),
                description="evidence files",
            )


def _table(database: str, outcomes: Iterable[Outcome]) -> Table:
    table = Table("Kind of change", "Done", "Found", "Named", title=f"Changes past the portal, on {database}")
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.kind, []).append(outcome)
        by_kind.setdefault("All", []).append(outcome)
    by_kind["All"] = by_kind.pop("All", [])
    for kind, its in by_kind.items():
        found, named = sum(bool(one.findings) for one in its), sum(one.named for one in its)
        table.add_row(kind, str(len(its)), str(found), str(named))
    return table


@contextlib.contextmanager
def _server(database: str) -> Iterator[PostgresServer | None]:
    if database == "sqlite":
        yield None
        return
    with running_postgres() as server:
        yield server


if __name__ == "__main__":
    sys.exit(main())
