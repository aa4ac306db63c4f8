"""Erasing people: everything that named them is gone, and every proof still holds."""

from __future__ import annotations

from pathlib import Path

from portal.audit.checkpoint import checkpoint
from portal.audit.verify import verify_ledger
from reports.evidence.verify import Trusted, verify_file
from reports.records.verify import verify_records
from tests.reports.erasing.conftest import Leaving

COMMENT = "She needs it for the quarter's end."


def everything_holds(leaving: Leaving, file: Path) -> None:
    """The ledger, the records beside it, and the request's evidence by both verifiers."""
    db, bench = leaving.db, leaving.world.bench
    checkpoint(db, bench.signer)
    ledger = verify_ledger(db, name=bench.signer.name, keys=bench.signer.public_keys, folder=None)
    assert ledger.findings == []
    assert verify_records(db, store=None, evidence=bench.folder) == []
    said = verify_file(file, trusted=Trusted.of([bench.signer.verifier]))
    assert [line for line in said.lines if line.state == "bad"] == []
    assert said.holds
