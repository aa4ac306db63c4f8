"""The members of a bundle, written one by one into the draw's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from reports.audits.document import SCHEMA_FILE, SCHEMA_NAME, Audit, FilePart
from reports.audits.ledger_part import digest_of
from reports.audits.place import REGISTER, SAMPLE, WORKBOOK
from reports.audits.sections import plain_tables
from reports.audits.tables import (
    POPULATION,
    SAMPLE_COLUMNS,
    population_rows,
    sample_rows,
    write_csv,
)

LEDGER = "ledger.jsonl"
#: Members that audit.json cannot name: they carry it, tell of it, or check it.
UNLISTED = frozenset({"report.pdf", "audit.json", "README.txt", "verify.py", "recount.py"})


def write_tables(folder: Path, audit: Audit) -> None:
    """The register, the sample and every section's tables, as CSV and as one workbook."""
    write_csv(folder / REGISTER, POPULATION, population_rows(audit))
    write_csv(folder / SAMPLE, SAMPLE_COLUMNS, sample_rows(audit))
    shown = tuple(plain_tables(audit.sections))
    for table in shown:
        write_csv(folder / "tables" / f"{table.name}.csv", table.header, table.rows)
    from reports.audits.workbook import write_workbook  # noqa: PLC0415  (a tenth of a second, in every process)

    write_workbook(
        folder / WORKBOOK,
        [
            ("population", POPULATION, population_rows(audit)),
            ("sample", SAMPLE_COLUMNS, sample_rows(audit)),
            *((table.name, table.header, table.rows) for table in shown),
        ],
        at=datetime.fromisoformat(audit.made_at),
    )


def write_heads(folder: Path, audit: Audit) -> None:
    """The signed heads and the schema."""
    notes = {
        "before": audit.ledger.before.checkpoint,
        "after": audit.ledger.after.checkpoint,
        "made": audit.ledger.made.checkpoint,
    }
    for name, note in notes.items():
        if note is not None:
            (folder / "checkpoints" / f"{name}.note").write_text(note, encoding="utf-8")
    (folder / SCHEMA_NAME).write_bytes(SCHEMA_FILE.read_bytes())


def listed(folder: Path) -> Sequence[FilePart]:
    """Every member that lies in the folder and that audit.json names, in order."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        name = "/".join(parts)
        # What begins with a dot was left by a worker that was killed: a file half written, or a folder to lay out in.
        if path.is_file() and name not in UNLISTED and not any(part.startswith(".") for part in parts):
            digest, size = digest_of(path)
            found.append(FilePart(name=name, digest=digest, bytes=size))
    return found
