"""One change after another, each on the clean estate; and clean runs."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg import sql

from tests.chaos.keepers import Keeper, SqliteKeeper
from tests.fixtures_servers import PostgresServer
from tests.tamper.changes import KINDS, apply
from tests.tamper.estate import Estate, Found, build, live_through, make_estate, random_ways
from tests.tamper.row_keeper import RowKeeper


@dataclass(frozen=True)
class Outcome:
    """What came of one change."""

    kind: str
    what: str
    findings: tuple[Found, ...]
    named: bool

    @property
    def told(self) -> str:
        """For whoever looks at what went wrong."""
        return f"{self.kind}: {self.what}: {[finding.sentence for finding in self.findings]}"


def kinds_for(count: int, seed: int) -> list[str]:
    """Each kind at least once, the others by their shares."""
    chance = random.Random(f"kinds {seed}")
    shares = [share for _, share in KINDS.values()]
    rest = chance.choices(list(KINDS), weights=shares, k=max(0, count - len(KINDS)))
    return [*KINDS, *rest][:count]


def play(estate: Estate, kind: str, seed: str) -> Outcome:
    """Change the clean estate, and verify."""
    estate.bring_back("clean")
    change = apply(kind, random.Random(seed), estate)
    findings = tuple(estate.verify())
    return Outcome(kind, change.what, findings, any(change.names(found) for found in findings))


@contextmanager
def estate_on(server: PostgresServer | None, name: str = "tamper") -> Iterator[Estate]:
    """The estate, on SQLite where no server is given."""
    with (
        TemporaryDirectory(prefix="cs-tamper-", dir="/tmp") as folder,
        keeper_on(server, name, folder) as keeper,
    ):
        estate = build(keeper, Path(folder))
        try:
            yield estate
        finally:
            estate.db.dispose()


@contextmanager
def keeper_on(server: PostgresServer | None, name: str, folder: str) -> Iterator[Keeper]:
    """A database of its own that can be kept and brought back."""
    if server is None:
        yield SqliteKeeper(Path(folder))
        return
    name = f"{name}_{uuid.uuid4().hex[:8]}"
    identifier = sql.Identifier(name)
    server.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        yield RowKeeper(server.url(name))
    finally:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def clean_run(server: PostgresServer | None, seed: int) -> list[Found]:
    """What is found after a story of its own that nobody interfered with: nothing, it must be."""
    with (
        TemporaryDirectory(prefix="cs-clean-", dir="/tmp") as folder,
        keeper_on(server, f"clean{seed}", folder) as keeper,
    ):
        estate = make_estate(keeper, Path(folder))
        try:
            live_through(estate, random_ways(seed))
            return estate.verify()
        finally:
            estate.db.dispose()
