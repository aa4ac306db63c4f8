"""A folder outside the database has every checkpoint, also those that were signed while it was away."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.audit.holders.folder import FolderHolder
from portal.audit.holders.hand_over import hand_to
from tests.portal.audit.holders.ledger import Ledger

pytestmark = pytest.mark.on_sqlite


def test_a_folder_that_was_away_gets_every_checkpoint_that_it_missed(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    holder = FolderHolder(folder)
    folder.write_text("in the way")
    first = ledger.grow(2)
    assert not hand_to(ledger.db, holder)
    assert "cannot be written" in (ledger.state(holder).error or "")
    folder.unlink()
    last = ledger.grow(1)
    assert hand_to(ledger.db, holder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "000000000002.note": first.note,
        "000000000003.note": last.note,
        "latest": last.note,
    }
    assert ledger.state(holder).size == 3


def test_a_folder_with_another_ledger_s_checkpoints_is_an_alarm(
    ledger: Ledger, another_past: Ledger, tmp_path: Path
) -> None:
    holder = FolderHolder(tmp_path / "outside")
    ledger.grow(3)
    assert hand_to(ledger.db, holder)
    before = {path.name: path.read_text() for path in holder.folder.iterdir()}
    another_past.grow(5)
    assert not hand_to(another_past.db, holder)
    assert another_past.state(holder).contradicts_since is not None
    (holder.folder / "latest").write_text("nonsense")
    assert not hand_to(another_past.db, holder)
    assert "no checkpoint" in (another_past.state(holder).error or "")
    (holder.folder / "latest").write_text(before["latest"])
    assert {path.name: path.read_text() for path in holder.folder.iterdir()} == before
