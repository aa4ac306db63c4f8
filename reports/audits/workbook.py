"""Tables as a workbook for people. Text stays text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from reports.audits.tables import Cell

#: A workbook's sheet takes no more rows than this (ECMA-376), and a name no more characters.
MOST_ROWS, MOST_NAME = 1_048_575, 31
#: A name, the head of its columns, and its rows.
Sheet = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]
_OPC_CORE = "docProps/core.xml"


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
