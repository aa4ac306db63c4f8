"""The long form: every failpoint by every fault by seeds, on each database. `make chaos SEEDS=3`

    python -m tests.chaos [--seeds 1] [--database sqlite|postgresql] [--calls-only|--kills-only] [--at-once 4] [--sample 1]

First each call of the five main flows fails once, in turn, and the end must be as without the failure. Then the portal's
real processes are struck at each point that a run without a fault passes. Exit status 1 for anything that must not be:
a request lost, an effect twice, a task stuck, a ledger that does not verify, more than 60 s from the return of what was
killed until all is settled.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.chaos.every_call import rehearsing
from tests.chaos.flows import FLOWS
from tests.chaos.harness import PROMISE, Ground, Run, Strike, ground
from tests.chaos.keepers import PostgresKeeper, SqliteKeeper
from tests.fixtures_servers import PostgresServer, running_postgres, running_redis

DATABASES = ("sqlite", "postgresql")
LONGEST_PAUSE_SECONDS = 0.3


def main() -> int:
    """Play everything and print the tables; the number of faults decides the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Let everything fail once.")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each failpoint and fault")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--at-once", type=int, default=4, help="portals that run beside each other")
    parser.add_argument("--rounds", type=int, default=2, help="requests of each kind in a run")
    parser.add_argument("--lease", type=float, help="seconds, in place of the product's own")
    parser.add_argument("--sample", type=int, default=1, help="only each so many-th failpoint and call")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--calls-only", action="store_true")
    part.add_argument("--kills-only", action="store_true")
    options = parser.parse_args()
    console, faults = Console(width=140), []
    for database in [options.database] if options.database else DATABASES:
        if not options.kills_only:
            faults += let_calls_fail(console, database, options.sample)
        if not options.calls_only:
            faults += strike_everywhere(console, database, options)
    for fault in faults:
        console.print(f"[red]✗[/red] {fault}", highlight=False, markup=True)
    console.print(
        "[bold red]Faults were found.[/bold red]" if faults else "[bold green]No fault.[/bold green]"
    )
    return 1 if faults else 0


def let_calls_fail(console: Console, database: str, every: int) -> list[str]:
    """Each call of each flow, in turn; gives what was wrong, in words."""
    table = Table(
        "Flow", "Calls", "Failures tried", "Half-made", title=f"Each call fails once, on {database}"
    )
    faults: list[str] = []
    logging.disable(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory(prefix="cs-calls-", dir="/tmp") as name,
        _server(database) as server,
        running_redis() as redis_server,
    ):
        keeper = PostgresKeeper(server, "calls") if server else SqliteKeeper(Path(name))
        if isinstance(keeper, PostgresKeeper):
            keeper.create()
        with rehearsing(Path(name), keeper, REDIS_URL=redis_server.url) as rehearsal, _progress() as bar:
            for flow in FLOWS:
                meter = rehearsal.learn(flow)
                tried = meter.failures()[::every]
                found = []
                for failure in bar.track(tried, description=flow.name):
                    found += rehearsal.faults_of(flow, failure)
                table.add_row(flow.name, str(len(meter.calls)), str(len(tried)), str(len(found)))
                faults += found
    logging.disable(logging.NOTSET)
    console.print(table)
    return faults


def strike_everywhere(console: Console, database: str, options: argparse.Namespace) -> list[str]:
    """Every point by every fault by seeds; gives what was wrong, in words."""
    with contextlib.ExitStack() as stack, _progress() as bar:
        # Ended last: the kernel ends a database with the thread that had started it again.
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=options.at_once))
        grounds: Queue[Ground] = Queue()
        for _ in range(options.at_once):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cs-chaos-", dir="/tmp")))
            server = stack.enter_context(_server(database))
            grounds.put(
                stack.enter_context(
                    ground(folder / "ground", server, rounds=options.rounds, lease=options.lease)
                )
            )
        first = grounds.get()
        clean, kinds_of_fault = first.play([]), first.faults
        grounds.put(first)
        if clean.faults:
            return [f"{database}, without any fault: {fault}" for fault in clean.faults]
        plan = [
            (point, fault, seed)
            for point in sorted(clean.points)[:: options.sample]
            for fault in kinds_of_fault
            for seed in range(options.seeds)
        ]
        task = bar.add_task(f"{database}: {len(clean.points)} failpoints", total=len(plan))

        def play(entry: tuple[str, str, int]) -> Run:
            point, fault, seed = entry
            chance = random.Random(f"{seed} {point} {fault}")
            # Not the last times, which come in another order now and then.
            occurrence = 1 + chance.randrange(max(1, clean.points[point] * 3 // 4))
            place = grounds.get()
            try:
                return place.play(
                    [Strike(point, fault, occurrence)], pause=chance.uniform(0, LONGEST_PAUSE_SECONDS)
                )
            finally:
                grounds.put(place)
                bar.advance(task)

        runs = list(pool.map(play, plan))
    _print_runs(console, database, runs)
    return [f"{database}, {_name(run)}: {fault}" for run in runs for fault in faults_of(run)]


def faults_of(run: Run) -> list[str]:
    """What must not be, and what came too late."""
    late = [f"settled only after {run.seconds:.0f} s"] * (run.seconds > PROMISE)
    return [*run.faults, *late]


def _print_runs(console: Console, database: str, runs: list[Run]) -> None:
    columns = ("Failpoint", "Fault", "Runs", "Settled", "Slowest", "Effects twice", "Lost", "Other faults")
    table = Table(*columns, title=f"Struck at every point, on {database}")
    by_cell: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        by_cell.setdefault((run.strikes[0].point, run.strikes[0].fault), []).append(run)
    for cell, of_cell in [*by_cell.items(), (("All", ""), runs)]:
        twice = sum(len(run.verdict.twice) for run in of_cell)
        lost = sum(len(run.verdict.lost) for run in of_cell)
        others = sum(len(faults_of(run)) for run in of_cell) - twice - lost
        settled = sum(run.verdict.settled for run in of_cell)
        slowest = max(run.seconds for run in of_cell)
        table.add_row(
            *cell, str(len(of_cell)), str(settled), f"{slowest:.1f} s", str(twice), str(lost), str(others)
        )
    console.print(table)


def _name(run: Run) -> str:
    return ", ".join(f"{strike.fault} at “{strike.point}” ({strike.occurrence})" for strike in run.strikes)


def _progress() -> Progress:
    return Progress(console=Console(stderr=True), transient=True)


@contextlib.contextmanager
def _server(database: str) -> Iterator[PostgresServer | None]:
    if database == "sqlite":
        yield None
        return
    with running_postgres() as server:
        yield server


if __name__ == "__main__":
    sys.exit(main())
