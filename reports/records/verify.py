"""Everything beside the entries, in one moment of the database and in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from catalog.attachments.store import Store
from portal.audit.sealed_tables import SEALED
from portal.core.database import Database
from reports.records.files import odd_artefacts, odd_attachments, odd_evidence
from reports.records.found import RecordFinding
from reports.records.rows import Tell, odd_lists, odd_rows, odd_salts, rows_in_all
from reports.records.stories import odd_stories, odd_versions

#: Who sees so many will not read more.
MOST = 20


def verify_records(
    db: Database,
    *,
    store: Store | None,
    evidence: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    most: int = MOST,
) -> list[RecordFinding]:
    """The first `most` rows and files that do not fit what the ledger says of them.

    The entries must have been verified before: they are what everything here is held against. `store` holds the
    attachments and `evidence` is the folder of evidence files; where they are None, files are not looked at.
    `progress` is told rows done and in all.
    """
    with db.snapshot() as session:
        total, done = rows_in_all(session), 0

        def tell(count: int) -> None:
            nonlocal done
            done = min(done + count, total)
            progress(done, total)

        return list(islice(_findings(session, tell, store, evidence), most))


def _findings(
    session: Session, tell: Tell, store: Store | None, evidence: Path | None
) -> Iterator[RecordFinding]:
    fits = True
    for finding in _odd_seals(session, tell):
        fits = False
        yield finding
    if fits:
        # They are read from rows, so they say nothing more where rows were changed, and cannot be read everywhere.
        yield from odd_stories(session, _silently)
        yield from odd_versions(session, _silently)
        yield from odd_artefacts(session, _silently)
    if store is not None:
        yield from odd_attachments(session, store, _silently)
    if evidence is not None:
        yield from odd_evidence(session, evidence, _silently)


def _odd_seals(session: Session, tell: Tell) -> Iterator[RecordFinding]:
    yield from odd_lists(session, tell)
    for name in SEALED:
        yield from odd_rows(session, name, tell)
    yield from odd_salts(session)


def _silently(_count: int) -> None:
    """Counted as rows already."""
