"""Another reader of signed notes, and OpenSSL, accept what our signer signed; also while two keys sign."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from portal.audit import record
from portal.audit.checkpoint import Signer, checkpoint
from portal.audit.model import Checkpoint
from portal.audit.rotation import rotate
from portal.audit.signer.notary import Notary
from portal.audit.signer.vault import FileVault
from portal.core.database import Base, Database
from portal.identity.actor import PORTAL
from tests.portal.audit.independent.foreign import openssl_accepts, signed_head

ORIGIN = "portal.test/ledger"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    notary = Notary(tmp_path / "signer", FileVault(tmp_path / "signer"), origin=ORIGIN)
    return Signer(notary, tmp_path / "checkpoints")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    Base.metadata.create_all(db.engine)
    yield db
    db.dispose()


def signed(db: Database, signer: Signer) -> Checkpoint:
    with db.transaction() as session:
        record(session, "thing:done", subject="thing:1", actor=PORTAL)
    row = checkpoint(db, signer)
    assert row is not None
    return row


def test_sigstore_and_openssl_accept_a_checkpoint_and_read_the_same_in_it(
    ledger: Database, signer: Signer, tmp_path: Path
) -> None:
    signed(ledger, signer)
    row = signed(ledger, signer)
    read = signed_head(row.note, signer.verifier)
    assert read is not None
    assert (read.origin, read.log_size, read.log_hash) == (ORIGIN, 2, row.root.hex())
    assert read.other_content == []
    assert openssl_accepts(row.note, signer.verifier, tmp_path)


def test_they_accept_the_old_and_the_new_key_while_both_sign(
    ledger: Database, signer: Signer, tmp_path: Path
) -> None:
    signed(ledger, signer)
    rotate(ledger, signer, overlap=timedelta(days=30))
    row = signed(ledger, signer)
    assert len(signer.verifiers) == 2
    for verifier in signer.verifiers:
        assert signed_head(row.note, verifier) is not None
        assert openssl_accepts(row.note, verifier, tmp_path)


def test_they_refuse_a_changed_checkpoint_and_another_key(
    ledger: Database, signer: Signer, tmp_path: Path
) -> None:
    row = signed(ledger, signer)
    changed = row.note.replace("\n1\n", "\n2\n", 1)
    assert changed != row.note
    assert signed_head(changed, signer.verifier) is None
    assert not openssl_accepts(changed, signer.verifier, tmp_path)
    other = Notary(tmp_path / "other", FileVault(tmp_path / "other"), origin=ORIGIN)
    other.begin()
    assert signed_head(row.note, other.state().verifiers[-1]) is None
