"""The population and the sample as tables: CSV for scripts, a workbook for people. Text stays text in both."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

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
#: A workbook's sheet takes no more rows than this (ECMA-376), and a name no more characters.
MOST_ROWS, MOST_NAME = 1_048_575, 31
Cell = str | int
#: A name, the head of its columns, and its rows.
Sheet = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]
_OPC_CORE = "docProps/core.xml"


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


def write_workbook(path: Path, sheets: Sequence[Sheet], *, at: datetime) -> None:
    """A workbook without formulas: text is stored as text whatever it begins with. The same content gives the same bytes."""
    book = Workbook(write_only=True)
    for name, head, rows in sheets:
        page = book.create_sheet(name[:MOST_NAME])
        page.freeze_panes = "A2"
        page.append([_text(page, title, bold=True) for title in head])
        for number, row in enumerate(rows):
            if number >= MOST_ROWS:
                break
            page.append([cell if isinstance(cell, int) else _text(page, cell) for cell in row])
    raw = path.with_suffix(".raw")
    book.save(raw)
    _settle(raw, path, at)
    raw.unlink()


def _cell(row: RowPart, named: dict[str, str], column: str) -> Cell:
    value = named[column] if column in named else getattr(row, column)
    return "" if value is None else value


def _name(audit: Audit, person: str) -> str:
    known = audit.people.get(person)
    return known.name if known else ""


def _text(page: object, value: str, *, bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, value=None)
    # openpyxl takes what begins with = for a formula; the type says that it is not.
    cell._value, cell.data_type = value, "s"  # noqa: SLF001
    if bold:
        cell.font = Font(bold=True)
    return cell


def _settle(raw: Path, path: Path, at: datetime) -> None:
    """Take the day of writing out of the file: fixed dates in the archive and in its properties."""
    moment = at.astimezone(UTC)
    date_time = moment.timetuple()[:6]
    core = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:creator>Countersign</dc:creator>'
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment:%Y-%m-%dT%H:%M:%SZ}</dcterms:created>'
        "</cp:coreProperties>"
    )
    with zipfile.ZipFile(raw) as found, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in found.namelist():
            member = zipfile.ZipInfo(name, date_time)
            member.compress_type = zipfile.ZIP_DEFLATED
            with made.open(member, "w") as out:
                if name == _OPC_CORE:
                    out.write(core.encode())
                    continue
                with found.open(name) as content:
                    while part := content.read(1 << 20):
                        out.write(part)
