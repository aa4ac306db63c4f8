"""Verification finds every kind of change and names the first entry that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from portal.audit import record
from portal.audit.checkpoint import InconsistentLedger, Signer, checkpoint, checkpoint_if_due
from portal.audit.keys import load_or_create_key
from portal.audit.model import Entry
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


def test_a_column_that_repeats_more_of_the_text_than_its_own_value_is_found(
    db: Database, signer: Signer
) -> None:
    with db.transaction() as session:
        facts = {"a": 1, "subject": "thing:7"}
        record(session, "thing:done", subject="thing:1", actor=PORTAL, facts=facts)
    checkpoint(db, signer)
    with db.reading() as session:
        body = session.scalars(select(Entry.body)).one()
    # Between the subject that the facts tell of and the tag.
    repeated = body.partition(',"subject":"')[2].rpartition('","tag":"')[0].replace(":", "\\:")
    tamper(db, f"UPDATE ledger_entry SET subject = '{repeated}'")
    assert [finding.entry for finding in verify(db, signer).findings] == [1]


def test_an_entry_that_a_later_head_would_vouch_for_is_named_before_what_is_odd_after_it(
    db: Database, signer: Signer
) -> None:
    write(db, 3)
    checkpoint(db, signer)
    write(db, 5)
    # It states all entries, so they need not be looked at one by one, and it is no checkpoint.
    bogus = f"{signer.name}\n8\n{'A' * 43}=\n\n"
    (signer.folder / "000000000008.note").write_text(bogus, encoding="utf-8")
    tamper(
        db,
        "UPDATE ledger_entry SET number = 99 WHERE number = 5",
        "UPDATE ledger_entry SET number = 5 WHERE number = 6",
        "UPDATE ledger_entry SET number = 6 WHERE number = 99",
        "UPDATE ledger_entry SET tag = 'thing:undone' WHERE number = 8",
    )
    found = verify(db, signer).findings
    assert [finding.entry for finding in found] == [None, 5, 8]
    assert "000000000008.note" in found[0].sentence


def test_an_odd_node_is_named_whatever_the_texts_hold(db: Database, signer: Signer) -> None:
    with db.transaction() as session:
        record(session, "thing:done", subject="thing:0", actor=PORTAL, facts={"path": "C:\\größe"})
    write(db, 3)
    checkpoint(db, signer)
    tamper(db, "DELETE FROM ledger_node WHERE level = 1 AND position = 1")
    found = verify(db, signer).findings
    assert found[0].sentence == "Entries 3 to 4: the node over them in the stored tree is missing."


def test_two_entries_of_one_number_are_found(db: Database, signer: Signer) -> None:
    write(db, 4)
    checkpoint(db, signer)
    columns = "number, at, tag, subject, actor, body"
    tamper(db)
    with db.transaction() as session:
        if db.engine.dialect.name == "sqlite":
            session.execute(text("ALTER TABLE ledger_entry RENAME TO former"))
            session.execute(
                text(f"CREATE TABLE ledger_entry AS SELECT {columns} FROM former ORDER BY number")
            )
        else:
            session.execute(text("ALTER TABLE ledger_entry DROP CONSTRAINT pk_ledger_entry"))
        session.execute(text("UPDATE ledger_entry SET number = 2 WHERE number = 3"))
    assert verify(db, signer).findings[0].entry in {2, 3}


@pytest.mark.parametrize("name", ["a folder.note", "no letter \udcff.note", "gone.note"])
@pytest.mark.on_sqlite
def test_whatever_lies_in_the_folder_under_a_checkpoints_name_is_told_of(
    db: Database, signer: Signer, name: str
) -> None:
    write(db, 2)
    checkpoint(db, signer)
    if name.startswith("a folder"):
        (signer.folder / name).mkdir()
    elif name.startswith("gone"):
        (signer.folder / name).symlink_to(signer.folder / "nowhere")
    else:
        (signer.folder / name).write_text("not a checkpoint")
    (finding,) = verify(db, signer).findings
    assert finding.sentence.endswith(".note: The checkpoint carries no signature.")
    assert finding.sentence.encode()


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
