"""The portal asks its signer: what is refused or away reaches operators once, and everything else goes on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from portal.audit import record
from portal.audit.checkpoint import InconsistentLedger, Signer, SignerAway, checkpoint
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import Head, is_signed_by
from portal.audit.signer.asking import Desk, SocketDesk
from portal.audit.signer.model import Cause
from portal.audit.signer.notary import Notary, SignerState
from portal.audit.signer.vault import FileVault
from portal.audit.signing import SigningStopped, find_trouble, keep_signed
from portal.audit.verify import verify_ledger
from portal.core.database import Database
from portal.core.language import speaking, spoken
from portal.core.settings import Settings
from portal.doctor.check import State
from portal.doctor.signer import check_signer
from portal.identity.actor import PORTAL
from tests.fixtures_people import StandingClock
from tests.portal.audit.signer.conftest import ORIGIN, SignerProcess


def write(db: Database, count: int = 1, what: str = "thing") -> None:
    for number in range(count):
        with db.transaction() as session:
            record(session, "thing:done", subject=f"{what}:{number}", actor=PORTAL)


def tags_of(db: Database) -> list[str]:
    with db.reading() as session:
        return list(
            session.scalars(select(Entry.tag).where(Entry.tag != "thing:done").order_by(Entry.number))
        )


def forget(db: Database, *tables: str) -> None:
    """Empty tables as somebody would who may drop triggers; SQLite."""
    with db.transaction() as session:
        for table in tables:
            session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
            session.execute(text(f"DELETE FROM {table}"))


@pytest.fixture
def heard(db: Database) -> list[SigningStopped]:
    """What operators would be told."""
    told: list[SigningStopped] = []
    db.info["handlers"] = {SigningStopped: (lambda _session, event: told.append(event),)}
    return told


@pytest.fixture
def process(own: SignerProcess) -> SignerProcess:
    own.start()
    return own


@pytest.fixture
def signer(own: SignerProcess, tmp_path: Path) -> Signer:
    """The portal's side of the process: it holds no key."""
    return Signer(SocketDesk(own.socket, tmp_path / "signer.json"), tmp_path / "checkpoints")


@pytest.mark.on_sqlite
def test_checkpoints_come_over_the_socket_and_the_ledger_verifies_with_the_key_that_was_told(
    db: Database, process: SignerProcess, signer: Signer
) -> None:
    write(db, 5)
    first = checkpoint(db, signer)
    write(db, 3)
    second = checkpoint(db, signer)
    assert (first and first.size, second and second.size) == (5, 8)
    result = verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=signer.folder)
    assert (result.findings, result.checkpoints) == ([], 5)
    assert signer.name == ORIGIN
    assert list(signer.folder.parent.glob("**/*.pem")) == []


@pytest.mark.on_sqlite
def test_a_ledger_that_was_written_anew_is_refused_and_operators_hear_of_it_once(
    db: Database, process: SignerProcess, signer: Signer, heard: list[SigningStopped], clock: StandingClock
) -> None:
    write(db, 5)
    keep_signed(db, signer)
    forget(db, "ledger_entry", "ledger_node", "ledger_checkpoint")
    for note in signer.folder.iterdir():
        note.unlink()  # whoever reaches the folder as well still does not reach the signer
    write(db, 6, "forgery")
    for _round in range(3):
        keep_signed(db, signer)
        clock.pass_time(seconds=61)
    assert [(event.cause, "first 5 entries" in event.why) for event in heard] == [(Cause.REFUSED, True)]
    assert tags_of(db) == ["ledger:signing-stopped"]
    with db.reading() as session:
        trouble = find_trouble(session)
        assert session.scalars(select(Checkpoint)).all() == []
    assert trouble is not None and trouble.cause is Cause.REFUSED
    with speaking("de"):
        assert spoken(trouble.why)
    with pytest.raises(InconsistentLedger):
        checkpoint(db, signer)


@pytest.mark.on_sqlite
def test_a_ledger_that_became_shorter_is_refused(
    db: Database, process: SignerProcess, signer: Signer
) -> None:
    write(db, 5)
    checkpoint(db, signer)
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER ledger_entry_no_delete"))
        session.execute(text("DELETE FROM ledger_entry WHERE number > 3"))
    (signer.folder / "latest").unlink()
    with pytest.raises(InconsistentLedger, match="has 3 entries, but 5 were signed before"):
        checkpoint(db, signer)


@pytest.mark.on_sqlite
def test_with_the_signer_down_nothing_else_waits_and_checkpoints_follow_when_it_is_back(
    db: Database, process: SignerProcess, signer: Signer, heard: list[SigningStopped], clock: StandingClock
) -> None:
    write(db)
    keep_signed(db, signer)
    known = signer.verifier
    process.kill()
    write(db, 2)
    clock.pass_time(seconds=61)
    keep_signed(db, signer)
    assert heard == []  # it may have been started anew
    with pytest.raises(SignerAway, match="signer does not answer"):
        checkpoint(db, signer)
    clock.pass_time(seconds=301)
    for _round in range(2):
        keep_signed(db, signer)
    assert [event.cause for event in heard] == [Cause.AWAY]
    # Who starts now knows the ledger's keys all the same, for pages and for verifying.
    another = Signer(SocketDesk(process.socket, signer.folder.parent / "signer.json"), signer.folder)
    assert another.verifiers == (known,)
    assert verify_ledger(db, name=another.name, keys=another.public_keys, folder=signer.folder).holds

    process.start()
    keep_signed(db, signer)
    with db.reading() as session:
        sizes = session.scalars(select(Checkpoint.size).order_by(Checkpoint.size)).all()
        assert find_trouble(session) is None
    assert sizes == [1, 4]
    assert tags_of(db) == ["ledger:signing-stopped", "ledger:signing-resumed"]


class Overtaken:
    """A desk at which somebody else is served first, once, with a ledger that has grown meanwhile."""

    def __init__(self, db: Database, signer: Signer) -> None:
        self.db, self.signer, self.first = db, signer, True

    def state(self) -> SignerState:
        return self.signer.desk.state()

    def sign(self, old: int, proof: list[bytes], head: Head) -> str:
        if self.first:
            self.first = False
            write(self.db, 4)
            checkpoint(self.db, self.signer)
        return self.signer.desk.sign(old, proof, head)

    def rotate(self, overlap: timedelta) -> SignerState:
        return self.signer.desk.rotate(overlap)

    def retire(self) -> SignerState:
        return self.signer.desk.retire()


def test_who_was_overtaken_begins_anew_instead_of_raising_an_alarm(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "signer"
    signer = Signer(Notary(folder, FileVault(folder), origin=ORIGIN), tmp_path / "checkpoints")
    write(db, 3)
    desk: Desk = Overtaken(db, signer)
    row = checkpoint(db, Signer(desk, tmp_path / "checkpoints"))
    assert row is not None and row.size == 7
    assert is_signed_by(row.note, signer.verifier)
    with db.reading() as session:
        assert session.scalars(select(Checkpoint.size)).all() == [7]


def test_doctor_says_how_it_is_with_the_signer(own: SignerProcess, tmp_path: Path) -> None:
    env = {"COUNTERSIGN_HOME": str(tmp_path), "SIGNER_SOCKET": str(own.socket)}
    settings = Settings.from_environment(env)
    (away,) = check_signer(settings)
    assert (away.state, "countersign signer" in away.mend) == (State.FAIL, True)
    own.start()
    (well,) = check_signer(settings)
    assert (well.state, "0 entries" in well.finding) == (State.OK, True)
    (own.folder / "head.note").unlink()
    (lost,) = check_signer(settings)
    assert (lost.state, "is lost" in lost.finding) == (State.FAIL, True)
    (without,) = check_signer(Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path)}))
    assert without.state is State.OK
    assert not (tmp_path / "signer").exists()
