"""Verification finds every kind of change and names the first entry that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from portal.audit import record
from portal.audit.checkpoint import InconsistentLedger, Signer, checkpoint, checkpoint_if_due
from portal.audit.keys import load_or_create_key
from portal.audit.notes import NoteError, read_verifier_key, verify_head
from portal.audit.signer.notary import Notary
from portal.audit.signer.vault import FileVault
from portal.audit.verify import Verification, verify_ledger
from portal.core.database import Database
from portal.core.errors import SettingsError
from portal.identity.actor import PORTAL
from tests.fixtures_people import StandingClock


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    vault = FileVault(tmp_path / "signer")
    return Signer(Notary(tmp_path / "signer", vault, origin="portal.test/ledger"), tmp_path / "checkpoints")


def write(db: Database, count: int) -> None:
    for number in range(count):
        with db.transaction() as session:
            record(session, "thing:done", subject=f"thing:{number}", actor=PORTAL, personal={"reason": "so"})


def verify(db: Database, signer: Signer) -> Verification:
    return verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=signer.folder)


def tamper(db: Database, *statements: str) -> None:
    """Change the database as somebody would who may drop triggers."""
    with db.transaction() as session:
        for table in ("ledger_entry", "ledger_node", "ledger_checkpoint"):
            if db.engine.dialect.name == "sqlite":
                session.execute(text(f"DROP TRIGGER {table}_no_update"))
                session.execute(text(f"DROP TRIGGER {table}_no_delete"))
            else:
                session.execute(text(f"DROP TRIGGER {table}_no_change ON {table}"))
        for statement in statements:
            session.execute(text(statement))


def test_an_untouched_ledger_holds(db: Database, signer: Signer) -> None:
    write(db, 7)
    checkpoint(db, signer)
    write(db, 5)
    checkpoint(db, signer)
    write(db, 1)
    result = verify(db, signer)
    assert result.findings == []
    assert (result.entries, result.checkpoints) == (13, 5)


CHANGES: dict[str, tuple[list[str], int]] = {
    "an edited text": (["UPDATE ledger_entry SET body = replace(body, 'thing:3', 'thing:9') WHERE number = 4"], 4),
    "an edited column": (["UPDATE ledger_entry SET subject = 'thing:9' WHERE number = 4"], 4),
    "another time": (["UPDATE ledger_entry SET at = '2020-01-01 00:00:00+00:00' WHERE number = 6"], 6),
    "a deleted entry": (["DELETE FROM ledger_entry WHERE number = 5"], 5),
    "a cut end": (["DELETE FROM ledger_entry WHERE number > 8"], 9),
    "two exchanged entries": (
        [
            "UPDATE ledger_entry SET number = 99 WHERE number = 2",
            "UPDATE ledger_entry SET number = 2 WHERE number = 3",
            "UPDATE ledger_entry SET number = 3 WHERE number = 99",
        ],
        2,
    ),
    "another reason": (["UPDATE personal_value SET value = 'not so' WHERE entry_number = 7"], 7),
    "another node": (["UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 0 AND position = 0) WHERE level = 0 AND position = 9"], 10),
}  # fmt: skip


#: SQLite keeps whatever it is given, so that somebody who edits its file can write what no column should hold.
ODD_KINDS: dict[str, tuple[str, int]] = {
    "a text that is none": ("UPDATE ledger_entry SET body = CAST(x'7bff7d' AS TEXT) WHERE number = 4", 4),
    "a text as bytes": ("UPDATE ledger_entry SET body = CAST(body AS BLOB) WHERE number = 4", 4),
    "a hash as text": ("UPDATE ledger_entry SET leaf_hash = hex(leaf_hash) WHERE number = 4", 4),
    "a time that is none": ("UPDATE ledger_entry SET at = 5 WHERE number = 4", 4),
    "a subject that is none": ("UPDATE ledger_entry SET subject = CAST(x'ff' AS TEXT) WHERE number = 4", 4),
    "a value as bytes": ("UPDATE personal_value SET value = CAST('so' AS BLOB) WHERE entry_number = 7", 7),
    "a value that is no text": (
        "UPDATE personal_value SET value = CAST(x'ff' AS TEXT) WHERE entry_number = 7",
        7,
    ),
    "a salt as text": ("UPDATE personal_value SET salt = hex(salt) WHERE entry_number = 7", 7),
    "a longer salt": ("UPDATE personal_value SET salt = salt || x'00' WHERE entry_number = 7", 7),
    "a node as text": ("UPDATE ledger_node SET hash = hex(hash) WHERE level = 0 AND position = 9", 10),
    "a byte that went from a node to the next": (
        "UPDATE ledger_node SET hash = CASE position WHEN 4 THEN substr(hash, 1, 31) ELSE "
        "(SELECT substr(hash, 32) FROM ledger_node WHERE level = 0 AND position = 4) || hash END "
        "WHERE level = 0 AND position IN (4, 5)",
        5,
    ),
    "a node beyond": ("INSERT INTO ledger_node VALUES (0, 10, zeroblob(32))", 0),
    "a node before": ("INSERT INTO ledger_node VALUES (0, -1, zeroblob(32))", 0),
    "a node above": ("INSERT INTO ledger_node VALUES (7, 0, zeroblob(32))", 0),
}


@pytest.mark.on_sqlite
@pytest.mark.parametrize("change", ODD_KINDS)
def test_a_value_of_another_kind_is_found_and_breaks_nothing(
    db: Database, signer: Signer, change: str
) -> None:
    write(db, 10)
    checkpoint(db, signer)
    statement, entry = ODD_KINDS[change]
    tamper(db, statement)
    result = verify(db, signer)
    assert result.findings
    assert (result.findings[0].entry or 0) == entry, result.findings


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_and_the_first_entry_named(db: Database, signer: Signer, change: str) -> None:
    write(db, 10)
    checkpoint(db, signer)
    statements, entry = CHANGES[change]
    tamper(db, *statements)
    result = verify(db, signer)
    assert [finding.entry for finding in result.findings][:1] == [entry]


def test_a_past_that_was_written_again_whole_does_not_fit_the_published_checkpoint(
    db: Database, signer: Signer
) -> None:
    write(db, 10)
    checkpoint(db, signer)
    tamper(
        db,
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_node",
        "DELETE FROM personal_value",
        "DELETE FROM ledger_checkpoint",
    )
    write(db, 11)
    result = verify(db, signer)
    assert result.findings[0].entry == 1
    assert "000000000010.note" in result.findings[0].sentence
    with pytest.raises(InconsistentLedger):
        checkpoint(db, signer)


def test_the_signer_refuses_a_ledger_that_became_shorter(db: Database, signer: Signer) -> None:
    write(db, 3)
    checkpoint(db, signer)
    tamper(db, "DELETE FROM ledger_entry WHERE number = 3")
    with pytest.raises(InconsistentLedger, match="3 were signed"):
        checkpoint(db, signer)


def test_a_checkpoint_is_due_after_a_minute_or_a_hundred_entries(
    db: Database, signer: Signer, clock: StandingClock
) -> None:
    assert checkpoint_if_due(db, signer) is None
    write(db, 1)
    first = checkpoint_if_due(db, signer)
    assert first is not None and first.size == 1
    write(db, 1)
    assert checkpoint_if_due(db, signer) is None
    clock.pass_time(seconds=61)
    second = checkpoint_if_due(db, signer)
    assert second is not None and second.size == 2
    write(db, 100)
    third = checkpoint_if_due(db, signer)
    assert third is not None and third.size == 102


def test_a_changed_checkpoint_is_refused(db: Database, signer: Signer) -> None:
    write(db, 1)
    row = checkpoint(db, signer)
    assert row is not None
    name, key = read_verifier_key(signer.verifier)
    assert verify_head(row.note, name, key).size == 1
    with pytest.raises(NoteError, match="does not hold"):
        verify_head(row.note.replace("\n1\n", "\n2\n", 1), name, key)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "ledger.pem")
    (tmp_path / "ledger.pem").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_or_create_key(tmp_path / "ledger.pem")
