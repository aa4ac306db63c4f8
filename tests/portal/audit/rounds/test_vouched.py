"""What a whole round verified is not verified signature by signature again, and is found all the same when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from portal.audit import found_notes, record
from portal.audit.checkpoint import Signer, checkpoint
from portal.audit.merkle import root_hash
from portal.audit.notes import Head, sign_head, verify_head_by
from portal.audit.rounds.tags import VERIFIED
from portal.audit.rounds.work import verify_round
from portal.audit.tree import node_reader
from portal.audit.verify import Verification, verify_ledger
from portal.audit.vouched import facts_of
from portal.core.database import Database
from portal.identity.actor import PORTAL
from tests.portal.audit.rounds.conftest import change

OTHER = Ed25519PrivateKey.generate()
ALTERED = "UPDATE ledger_checkpoint SET note = replace(note, substr(note, -20, 4), 'AAAA') WHERE size = 3"


@pytest.fixture
def signed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the checkpoints whose signatures were verified."""
    sizes: list[int] = []

    def counted(note: str, keys: object) -> Head:
        head = verify_head_by(note, keys)
        sizes.append(head.size)
        return head

    monkeypatch.setattr(found_notes, "verify_head_by", counted)
    return sizes


@pytest.fixture
def verify(db: Database, signer: Signer) -> Callable[[], Verification]:
    """All of the ledger, as a fresh machine would."""
    return lambda: verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=signer.folder)


@pytest.fixture(autouse=True)
def _vouched(db: Database, signer: Signer, tmp_path: Path) -> None:
    """Checkpoints over 3 and 6 entries, of which entry 7 tells that they were verified, and one over 10."""
    for _ in range(2):
        write(db, 3)
        checkpoint(db, signer)
    verify_round(db, db.transaction, signer=signer, known=tmp_path / "verified.json", records=list)
    write(db, 3)
    checkpoint(db, signer)


def write(db: Database, count: int) -> None:
    for number in range(count):
        with db.transaction() as session:
            record(session, "thing:done", subject=f"thing:{number}", actor=PORTAL)


def test_signatures_that_a_round_verified_are_not_verified_again(verify, signed_one_by_one):
    result = verify()
    assert (result.findings, result.entries, result.checkpoints) == ([], 10, 7)
    assert signed_one_by_one == [10]


@pytest.mark.on_sqlite
def test_a_changed_signature_is_found_although_a_round_had_verified_it(db, verify, signed_one_by_one):
    change(db, ALTERED)
    assert [finding.sentence for finding in verify().findings] == [
        "Checkpoint 3 in the database: The checkpoint's signature does not hold: its text was changed after signing."
    ]
    # Also the others are verified on their own then: which of them the round meant can no longer be told.
    assert signed_one_by_one == [3, 6, 10]


def test_a_changed_file_of_the_folder_is_found(verify, signer):
    file = signer.folder / "000000000003.note"
    note = file.read_text(encoding="utf-8")
    file.write_text(note[:-20] + "AAAA" + note[-16:], encoding="utf-8")
    assert [finding.sentence[:31] for finding in verify().findings] == ["Checkpoint 000000000003.note: T"]


@pytest.mark.on_sqlite
def test_an_entry_that_no_signed_head_covers_vouches_for_nothing(db, signer, verify):
    change(db, ALTERED)
    with db.reading() as session:
        rows = session.execute(text("SELECT size, root, note FROM ledger_checkpoint ORDER BY size")).all()
    # Whoever changed the checkpoint writes the entry that would vouch for it, but cannot have it signed.
    with db.transaction() as session:
        record(session, VERIFIED, subject="ledger", actor=PORTAL, facts=facts_of(rows))
    assert "Checkpoint 3 in the database" in verify().findings[0].sentence
    # Nor by a head of their own.
    with db.transaction() as session:
        head = Head(signer.name, 11, root_hash(node_reader(session), 11))
        note = sign_head(head, signer.name, OTHER)
        values = {"size": 11, "root": head.root, "note": note, "at": "2026-01-01 00:00:00.000000"}
        session.execute(text("INSERT INTO ledger_checkpoint VALUES (:size, :root, :note, :at)"), values)
    found = [finding.sentence for finding in verify().findings]
    assert [sentence.partition(":")[0] for sentence in found] == [
        "Checkpoint 3 in the database",
        "Checkpoint 11 in the database",
    ]


@pytest.mark.on_sqlite
def test_an_entry_that_was_changed_to_vouch_is_found(db, verify):
    change(db, ALTERED)
    with db.reading() as session:
        rows = session.execute(text("SELECT size, root, note FROM ledger_checkpoint ORDER BY size")).all()
    digest = facts_of(rows[:2])["checkpoints"]
    at = 'instr(body, \'"checkpoints":"\') + 15'
    change(
        db,
        f"UPDATE ledger_entry SET body = substr(body, 1, {at} - 1) || '{digest}' || substr(body, {at} + 71) WHERE number = 7",
    )
    assert [finding.entry for finding in verify().findings] == [7]
