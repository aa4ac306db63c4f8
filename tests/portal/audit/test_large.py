"""A ledger of several parts: verified by several processes, and a change in it named."""

from __future__ import annotations

import gc

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from bench.verify_ledger import NAME, fill, rows_read
from portal.audit import others, walking
from portal.audit.fitting import SIZE
from portal.audit.verify import verify_ledger
from portal.core.database import Database

ENTRIES = 2 * SIZE + 100


#: Reads what it is asked, and is gone.
ENDED = "import pickle, sys\npickle.load(sys.stdin.buffer)\npickle.load(sys.stdin.buffer)\n"


@pytest.mark.on_sqlite
def test_parts_are_verified_by_other_processes_and_a_change_is_named(tmp_path, monkeypatch):
    db = Database(f"sqlite:///{tmp_path / 'large.db'}")
    key = Ed25519PrivateKey.generate()
    fill(db, ENTRIES, key)
    monkeypatch.setattr(walking, "WORTH_IT", 2)
    monkeypatch.setattr(walking.os, "cpu_count", lambda: 2)
    told = []
    taken = walking.Walk._taken
    monkeypatch.setattr(
        walking.Walk, "_taken", lambda walk, number: told.append(number) or taken(walk, number)
    )
    result = verify_ledger(db, name=NAME, keys=[key.public_key()], folder=None)
    assert result.findings == []
    assert (result.entries, told[:1]) == (ENTRIES, [0])
    # Other processes that end in the middle, as for a lack of memory, leave what is to be done to this one.
    ended = tmp_path / "ended.py"
    ended.write_text(ENDED, encoding="utf-8")
    monkeypatch.setattr(others.fitting, "__file__", str(ended))
    told.clear()
    alone = verify_ledger(db, name=NAME, keys=[key.public_key()], folder=None)
    assert (alone.findings, alone.entries, told[:1]) == ([], ENTRIES, [0])
    assert gc.isenabled(), "what is held back while it walks is given back"
    # A proof reads as many rows as the tree has levels, not as many as it has leaves.
    assert rows_read(db, ENTRIES) <= 2 * ENTRIES.bit_length()
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER ledger_entry_no_update"))
        session.execute(
            text("UPDATE ledger_entry SET tag = 'request:denied' WHERE number = :number"),
            {"number": SIZE + 7},
        )
    found = verify_ledger(db, name=NAME, keys=[key.public_key()], folder=None)
    assert [finding.entry for finding in found.findings] == [SIZE + 7]
    db.dispose()
