"""As a worker does it: each holder has a task of its own, and one that is away holds up no other."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.audit import record
from portal.audit.checkpoint import checkpoint
from portal.audit.holders.model import HolderState
from portal.audit.notes import raw_public_key, read_verifier_key
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import PORTAL
from portal.identity.model import Person
from portal.jobs.model import Task, TaskState
from portal.jobs.periodic import enqueue_periodic
from portal.jobs.runner import run_due
from portal.notifications.checkpoints import CONTRADICTED
from portal.notifications.model import Message
from portal.tables import METADATA
from portal.wiring import Portal, build, periodic_table, workshop
from tests.fixtures_people import StandingClock, add_cast
from tests.portal.audit.holders.witness import Witness, standing


@pytest.fixture
def witness(clock: StandingClock) -> Iterator[Witness]:
    with standing(Witness(clock=lambda: clock().timestamp())) as running:
        yield running


@pytest.fixture
def portal(tmp_path: Path, database_url: str, clock: StandingClock, witness: Witness) -> Iterator[Portal]:
    """As the settings make it: a folder, a git remote that is away, and a witness."""
    settings = Settings.from_environment(
        {
            "COUNTERSIGN_HOME": str(tmp_path / "home"),
            "DATABASE_URL": database_url,
            "CHECKPOINT_GIT_REMOTE": str(tmp_path / "held.git"),
            "CHECKPOINT_WITNESSES": f"{witness.url}/ {witness.vkey}",
            "OUTGOING_NETWORKS": "127.0.0.0/8",
        }
    )
    made = build(settings, clock=clock)
    METADATA.create_all(made.db.engine)
    with made.db.transaction() as session:
        add_cast(session)
    yield made
    made.db.dispose()


def sizes(db: Database) -> dict[str, int]:
    with db.reading() as session:
        rows = session.execute(select(HolderState.key, HolderState.size).order_by(HolderState.key))
        return {row.key.partition("-")[0]: row.size for row in rows}


def work(portal: Portal, clock: StandingClock) -> None:
    """A round of the scheduler's, and whatever follows from it."""
    clock.pass_time(seconds=61)
    enqueue_periodic(portal.db, [entry for entry in periodic_table() if entry.kind == "checkpoint"])
    run_due(workshop(portal))


def test_every_holder_gets_the_checkpoint_and_whoever_was_away_catches_up(
    portal: Portal, witness: Witness, clock: StandingClock, tmp_path: Path
) -> None:
    name, key = read_verifier_key(portal.signer.verifier)
    witness.logs[name] = raw_public_key(key)
    grow(portal)
    work(portal, clock)
    signed = sizes(portal.db)
    assert set(signed) == {"folder", "git", "witness"}
    assert signed["folder"] == signed["witness"] > 0
    assert signed["git"] == 0, "the repository is not there yet"
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "held.git")], check=True)
    clock.pass_time(minutes=15)
    grow(portal)
    work(portal, clock)
    caught_up = sizes(portal.db)
    assert len(set(caught_up.values())) == 1 and caught_up["git"] > signed["folder"]
    with portal.db.reading() as session:
        states = set(session.scalars(select(Task.state).where(Task.kind == "hand_to_holder")))
        tasks = session.scalar(select(func.count()).where(Task.kind == "hand_to_holder"))
    assert states == {TaskState.DONE}, "an outage sets no task aside"
    assert tasks == 6
    work(portal, clock)
    with portal.db.reading() as session:
        assert session.scalar(select(func.count()).where(Task.kind == "hand_to_holder")) == 6, (
            "nothing is due"
        )


@pytest.mark.on_sqlite
def test_a_folder_that_is_away_holds_up_no_checkpoint_and_gets_it_later(
    portal: Portal, clock: StandingClock
) -> None:
    folder = portal.settings.checkpoint_folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    grow(portal)
    row = checkpoint(portal.db, portal.signer)
    assert row is not None
    folder.unlink()
    work(portal, clock)
    assert (folder / f"{row.size:012d}.note").read_text() == row.note


@pytest.mark.on_sqlite
def test_a_holder_that_says_otherwise_is_told_to_operators_and_compliance_once(
    portal: Portal, witness: Witness, clock: StandingClock
) -> None:
    name, key = read_verifier_key(portal.signer.verifier)
    witness.logs[name], witness.heads[name] = raw_public_key(key), (10_000, bytes(32))
    grow(portal)
    for _ in range(3):
        work(portal, clock)
    with portal.db.reading() as session:
        told = session.execute(
            select(Person.user_name, Message.subject_line)
            .join(Person, Person.id == Message.person_id)
            .where(Message.event == CONTRADICTED)
            .order_by(Person.user_name)
        ).all()
    subject = "The ledger is not what witness.test/w1 holds"
    assert [tuple(row) for row in told] == [("cora.compliance", subject), ("oskar.operator", subject)]


def grow(portal: Portal) -> None:
    with portal.db.transaction() as session:
        record(session, "thing:done", subject="thing:1", actor=PORTAL)
