"""The population and the sample as tables, and CSV for scripts. Text stays text."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from portal.core.csv_cells import as_text
from reports.audits.document import Audit, RowPart

POPULATION = (
    "reference",
    "entry",
    "submitted_at",
    "offering",
    "version",
    "unit",
    "kind",
    "state",
    "requester",
    "requester_name",
    "beneficiary",
    "beneficiary_name",
    "decided_at",
    "fulfilled_at",
    "closed_at",
    "promised_by",
    "promise",
    "approvals",
    "denials",
    "seal",
    "controls",
    "offering_digest",
)
SAMPLE_COLUMNS = ("drawn", "reference", "rank", "evidence", "digest")
Cell = str | int


def population_rows(audit: Audit) -> Iterator[tuple[Cell, ...]]:
    """The register, a row for each request, in the order of POPULATION."""
    for row in audit.population.rows:
        named = {
            "requester_name": _name(audit, row.requester),
            "beneficiary_name": _name(audit, row.beneficiary),
            "controls": "; ".join(row.controls),
        }
        yield tuple(_cell(row, named, column) for column in POPULATION)


def sample_rows(audit: Audit) -> Iterator[tuple[Cell, ...]]:
    """What was drawn, in that order, with each rank so that it can be computed again."""
    digests = {file.name: file.digest for file in audit.files}
    seed = bytes.fromhex(audit.sample.seed)
    for number, reference in enumerate(audit.sample.references, 1):
        rank = hashlib.sha256(seed + reference.encode("ascii")).hexdigest()
        name = f"evidence/{reference}.pdf"
        yield number, reference, rank, name, digests.get(name, "")


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """CSV in UTF-8 with the mark that office programs know it by, written as it comes."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows([as_text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def _cell(row: RowPart, named: dict[str, str], column: str) -> Cell:
    value = named[column] if column in named else getattr(row, column)
    return "" if value is None else value


def _name(audit: Audit, person: str) -> str:
    known = audit.people.get(person)
    return known.name if known else ""
