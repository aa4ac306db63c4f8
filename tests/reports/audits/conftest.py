"""An audit over requests that went their whole way, with the tasks that count and make it."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from portal.audit.model import Entry
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.jobs import Handlers, Job, Workshop, run_due
from reports.audits import place
from reports.audits.document import Audit as Facts
from reports.audits.document import FixedRule, read_audit
from reports.audits.jobs import handlers, on_set_aside
from reports.audits.making import make_audit
from reports.audits.model import Audit, AuditDraw, AuditFile, DrawState
from reports.audits.ordering import MAKE, Wanted, give_nonce, order, rows_of
from tests.reports.conftest import EvidenceWorld, world_in

#: The cast's clock stands at 18 November 2026.
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@dataclass
class AuditWorld:
    """Requests and whoever audits them."""

    world: EvidenceWorld
    officer: Actor

    @property
    def db(self) -> Database:
        return self.world.db

    def work(self, **others: Any) -> None:
        """Run what is due; a handler may be replaced by name."""
        shelves = self.world.shelves
        known: Handlers = {**shelves.handlers, **handlers(self.world.bench.signer), **others}
        run_due(Workshop(shelves.db, shelves.settings, known, on_set_aside=on_set_aside))

    def ordered(self, **wanted: Any) -> int:
        """An audit over November, which waits to be counted."""
        first, last = NOVEMBER
        asked = {"first_day": first, "last_day": last, "rule": FixedRule(kind="fixed", size=2), **wanted}
        with self.db.transaction() as session:
            return order(session, self.officer, Wanted(**asked)).id

    def counted(self, **wanted: Any) -> Audit:
        number = self.ordered(**wanted)
        self.work()
        return self.audit(number)

    def drawn(self, audit_id: int, nonce: str = "blue heron") -> int:
        with self.db.transaction() as session:
            return give_nonce(session, self.officer, audit_id, nonce).id

    def audit(self, number: int) -> Audit:
        with self.db.reading() as session:
            return session.get_one(Audit, number)

    def draw(self, number: int) -> AuditDraw:
        with self.db.reading() as session:
            return session.scalars(select(AuditDraw).where(AuditDraw.id == number)).one()

    def rows(self, audit_id: int) -> dict[str, dict[str, Any]]:
        """The population by reference."""
        with self.db.reading() as session:
            return {row["reference"]: row for row in rows_of(session, audit_id)}

    def tags(self, reference: str) -> list[str]:
        """What the ledger says of the audit."""
        return self.world.tags(f"audit:{reference}")

    def newest(self) -> int:
        """How many entries the ledger has."""
        with self.db.reading() as session:
            return session.scalars(select(Entry.number).order_by(Entry.number.desc()).limit(1)).one()


@pytest.fixture
def audits(world: EvidenceWorld, actor_of: Callable[..., Actor]) -> AuditWorld:
    """On each database in turn."""
    return AuditWorld(world, actor_of(world.cast.compliance))


@dataclass
class MadeAudit:
    """One audit that was made, for all tests that only look at it."""

    audits: AuditWorld
    audit: Audit
    draw: AuditDraw
    #: The references of November's requests, and the one of a request that was withdrawn in December.
    november: tuple[str, ...]
    december: str
    bundle: Path
    members: dict[str, bytes]
    facts: Facts
    #: A copy of the portal's home from when two of three files of evidence were there, and what its clock showed.
    unfinished: Path
    stopped_at: datetime

    @property
    def settings(self) -> Settings:
        return self.audits.world.shelves.settings

    @property
    def verifier(self) -> str:
        """The ledger's key as an auditor was given it."""
        return self.audits.world.bench.signer.verifier


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeAudit]:
    """A fulfilled, an edited and a rejected request in November, one in December; all of November's drawn.

    Its tasks have no time at all, so that each does one step and leaves the rest to the next.
    """
    home = tmp_path_factory.mktemp("audit")
    world = world_in(home)
    audits = AuditWorld(world, world.actor_of(world.cast.compliance, "compliance"))
    november = (world.fulfilled(), world.edited(), world.rejected())
    world.clock.pass_time(days=20)
    december = world.withdrawn()
    audit = audits.counted(rule=FixedRule(kind="fixed", size=25))
    number = audits.drawn(audit.id)
    unfinished = tmp_path_factory.mktemp("unfinished") / "home"
    stopped_at = world.clock()

    def one_step(job: Job) -> None:
        if job.payload["part"] == len(november) - 1:
            copy_home(home, unfinished)
        make_audit(job, signer=world.bench.signer, budget=0.0)

    audits.work(**{MAKE: one_step})
    draw = audits.draw(number)
    assert draw.state is DrawState.MADE, draw.why
    with world.db.reading() as session:
        file = session.get_one(AuditFile, (number, place.BUNDLE))
    bundle = place.path_of(world.shelves.settings, place.BUNDLE, file.digest)
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    facts = read_audit(members["audit.json"])
    yield MadeAudit(audits, audit, draw, november, december, bundle, members, facts, unfinished, stopped_at)
    world.db.dispose()


def copy_home(home: Path, target: Path) -> None:
    """Everything of a portal on SQLite as it is now, while others use it."""
    shutil.copytree(
        home, target, ignore=lambda folder, names: [name for name in names if name.startswith("db")]
    )
    with sqlite3.connect(home / "db") as source, sqlite3.connect(target / "db") as copy:
        source.backup(copy)
    source.close()
    copy.close()
