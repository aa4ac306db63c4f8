"""A signer in a folder of the test's own, and somebody who changes the ledger past the portal."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from portal.audit.checkpoint import Signer
from portal.audit.signer.notary import Notary
from portal.audit.signer.vault import FileVault
from portal.core.database import Database


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    vault = FileVault(tmp_path / "signer")
    return Signer(Notary(tmp_path / "signer", vault, origin="portal.test/ledger"), tmp_path / "checkpoints")


def change(db: Database, *statements: str) -> None:
    """Past the portal, as somebody who may drop triggers."""
    with db.transaction() as session:
        for table in ("ledger_checkpoint", "ledger_entry", "ledger_node"):
            for trigger in ("no_update", "no_delete", "no_change"):
                on = "" if db.engine.dialect.name == "sqlite" else f" ON {table}"
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_{trigger}{on}"))
        for statement in statements:
            session.execute(text(statement))
