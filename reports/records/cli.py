"""The records' part of `countersign audit verify`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reports.records.found import RecordFinding


def records_of(portal: Any, progress: Callable[[int, int], None]) -> Sequence[RecordFinding]:
    """What `verify_records` finds in this portal."""
    from reports.records.verify import verify_records

    return verify_records(
        portal.db, store=portal.store, evidence=portal.settings.home / "evidence", progress=progress
    )
