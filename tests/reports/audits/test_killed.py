"""A worker that is killed while it makes an audit's bundle: the next one goes on from what lies there, to the same bytes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal.audit.checkpoint import Signer
from portal.audit.model import Entry
from portal.core.database import Database
from portal.core.settings import Settings
from portal.jobs import Handler, Task, TaskState, Workshop
from portal.jobs.runner import run_task
from reports.audits import place
from reports.audits.making import make_audit
from reports.audits.model import AuditFile
from reports.audits.ordering import MAKE
from tests.chaos.failpoints import watched_handlers
from tests.fixtures_people import StandingClock
from tests.reports.audits.conftest import MadeAudit, copy_home


@dataclass(frozen=True)
class Death:
    """Where a worker kills itself: about its nth commit, of those once the bundle lies in its place if `bundled`."""

    about: str
    nth: int
    bundled: bool = False


#: In their order, each worker beginning where the one before it died.
DEATHS = {
    "evidence lies there and is not yet remembered": Death("before a commit", 2),
    "the last head is signed and not yet written down": Death("before a commit", 4),
    "the facts lie there and are not yet remembered": Death("before a commit", 3),
    "the report is half laid out": Death("before a commit", 6),
    "the bundle lies in its place and nobody knows it": Death("before a commit", 1, bundled=True),
    "it is known and what it was made from is not let go": Death("after a commit", 1, bundled=True),
}


@dataclass
class Unfinished:
    """A portal whose worker had made a part of an audit's files when it was stopped."""

    home: Path
    time: datetime

    @property
    def folder(self) -> Path:
        return self.home / "audits"

    def work(self, point: Callable[[str], None] = lambda _: None) -> None:
        """As a worker does, with connections of its own."""
        settings = Settings.from_environment(
            {"COUNTERSIGN_HOME": str(self.home), "DATABASE_URL": f"sqlite:///{self.home / 'db'}"}
        )
        db = Database(settings.database_url, clock=StandingClock(self.time))
        make: Handler = partial(make_audit, signer=Signer.from_settings(settings), budget=0.0)
        workshop = Workshop(db, settings, watched_handlers({MAKE: make}, point))
        waiting = select(Task.id).where(Task.kind == MAKE, Task.state != TaskState.DONE).order_by(Task.id)
        with db.transaction() as session:
            # As if the time of the killed worker's lease had passed.
            session.execute(
                update(Task)
                .where(Task.state == TaskState.RUNNING)
                .values(lease_until=datetime(2026, 1, 1, tzinfo=UTC))
            )
        while True:
            with db.reading() as session:
                task = session.scalars(waiting.limit(1)).one_or_none()
            if task is None:
                break
            assert run_task(workshop, task)
        db.dispose()

    def work_until(self, death: Death) -> int:
        """A process of its own works until it kills itself; its status as the system has it."""
        child = os.fork()
        if child == 0:
            try:
                self.work(self._dying(death))
            finally:
                os._exit(1)
        return os.waitpid(child, 0)[1]

    def _dying(self, death: Death) -> Callable[[str], None]:
        passed = 0

        def point(name: str) -> None:
            nonlocal passed
            passed += name == f"{MAKE}: {death.about}" and (
                not death.bundled or any(self.folder.glob("*.zip"))
            )
            if passed == death.nth:
                os.kill(os.getpid(), signal.SIGKILL)

        return point


@pytest.fixture
def unfinished(made: MadeAudit, tmp_path: Path) -> Unfinished:
    copy_home(made.unfinished, tmp_path / "home")
    return Unfinished(tmp_path / "home", made.stopped_at)


def test_killed_at_every_step_it_is_the_same_bundle_as_made_in_one_go(
    made: MadeAudit, unfinished: Unfinished
) -> None:
    for where, death in DEATHS.items():
        status = unfinished.work_until(death)
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, where
    unfinished.work()
    db = Database(f"sqlite:///{unfinished.home / 'db'}")
    with db.reading() as session:
        files = {
            file.name: file.digest.removeprefix("sha256:")
            for file in session.scalars(select(AuditFile).where(AuditFile.draw_id == made.draw.id))
        }
        tags = session.scalars(
            select(Entry.tag).where(Entry.subject == "audit:AR-000001").order_by(Entry.number)
        ).all()
    db.dispose()
    lies = {path.name for path in unfinished.folder.rglob("*") if path.is_file()}
    assert lies == {f"{digest}{Path(name).suffix}" for name, digest in files.items()}
    assert set(files) == set(place.KEPT), "nothing is left of what it was made from"
    assert tags == ["audit:ordered", "audit:counted", "audit:nonce-given", "audit:made"]
    assert (unfinished.folder / f"{files[place.BUNDLE]}.zip").read_bytes() == made.bundle.read_bytes()
