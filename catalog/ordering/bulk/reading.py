"""Reading a table from a CSV or XLSX file that somebody uploaded: its cells as text, and nothing else of it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from catalog.attachments.office import is_office
from portal.core import times
from portal.core.errors import PortalError
from portal.core.language import N_, _

MOST_ROWS = 500
MOST_COLUMNS = 100
#: With the empty ones between.
MOST_LINES = 5_000
LARGEST = 1024 * 1024
LONGEST_CELL = 40_000
#: What the parts of a workbook may take when they are unpacked; 500 rows come nowhere near.
MOST_UNPACKED = 12 * 1024 * 1024
_READ_AT_ONCE = 64 * 1024
#: A part that declares a document type could make the reader expand it without end.
_DECLARES = (b"<!DOCTYPE", b"<!ENTITY")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

Row = tuple[int, tuple[str, ...]]


class UnreadableFile(PortalError):
    """The file is not a table that can be read; the sentence says why and what to do."""

    status = 422
    title = N_("There is a problem with the file")


def read_rows(content: bytes, filename: str) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """The header and the rows that hold something, each with its number in the file. Raises UnreadableFile."""
    if not content:
        raise UnreadableFile(_("Choose a file: this one is empty."))
    if len(content) > LARGEST:
        raise UnreadableFile(
            _(
                "The file is larger than %(size)s. Split it, and send the parts one by one.",
                size=times.size(LARGEST),
            )
        )
    rows = _xlsx(content) if content.startswith(b"PK") else _csv(content, filename)
    numbered = [
        (number, _trimmed(row))
        for number, row in enumerate(rows, start=1)
        if any(cell.strip() for cell in row)
    ]
    if len(numbered) < 2:  # noqa: PLR2004  (a header and one row)
        raise UnreadableFile(
            _("The file needs a first row with the columns' names and at least one row below it.")
        )
    (_first, header), *below = numbered
    if len(below) > MOST_ROWS:
        raise UnreadableFile(
            _(
                "The file has more than %(most_rows)s rows. Split it, and send the parts one by one.",
                most_rows=MOST_ROWS,
            )
        )
    return header, tuple(below)


def _csv(content: bytes, filename: str) -> Iterator[Sequence[str]]:
    text = _decoded(content, filename)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from _limited(reader)
    except csv.Error as error:
        message = _(
            "Line %(line_num)s of the file cannot be read as CSV (%(error)s). Save it again as CSV in UTF-8.",
            line_num=reader.line_num,
            error=error,
        )
        raise UnreadableFile(message) from error


def _decoded(content: bytes, filename: str) -> str:
    if content.startswith(_UTF16):
        try:
            return _without_nul(content.decode("utf-16"))
        except UnicodeDecodeError:
            raise UnreadableFile(_("The file's text is damaged. Save it again as CSV in UTF-8.")) from None
    try:
        return _without_nul(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    try:
        return _without_nul(content.decode("cp1252"))  # what older office programs write
    except UnicodeDecodeError:
        raise UnreadableFile(
            _("This is neither a CSV file in UTF-8 nor an XLSX workbook. Save it as one of the two.")
        ) from None


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise UnreadableFile(_("This is not a text file. Save it as CSV in UTF-8 or as an XLSX workbook."))
    return text


def _xlsx(content: bytes) -> Iterator[Sequence[str]]:
    from openpyxl import load_workbook  # noqa: PLC0415  (takes a tenth of a second, and most tables are CSV)

    _refuse_unfit(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its own size is not believed
            rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
            yield from _limited([_text(cell) for cell in row] for row in rows)
        finally:
            book.close()
    except UnreadableFile:
        raise
    except Exception as error:
        # The reader raises whatever it stumbles over: KeyError, ValueError, ParseError, BadZipFile and more.
        message = _("This workbook cannot be read. Open it in your office program and save it as XLSX again.")
        raise UnreadableFile(message) from error


def _refuse_unfit(content: bytes) -> None:
    """Before anything is parsed: the parts are counted as they unpack, not as the archive says they would."""
    if not is_office(content, "xlsx"):
        raise UnreadableFile(
            _("This is not an XLSX workbook without macros. Save it as XLSX, or as CSV in UTF-8.")
        )
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.infolist():
                tail = b""
                with archive.open(part) as stream:
                    while chunk := stream.read(_READ_AT_ONCE):
                        unpacked += len(chunk)
                        seen = tail + chunk
                        _refuse_part(part.filename, seen, unpacked)
                        tail = seen[-16:]
    except UnreadableFile:
        raise
    except Exception as error:
        # Damage shows in many ways: BadZipFile, zlib.error, EOFError, NotImplementedError for odd compression.
        raise UnreadableFile(_("This workbook is damaged. Save it as XLSX again.")) from error


def _refuse_part(name: str, seen: bytes, unpacked: int) -> None:
    if unpacked > MOST_UNPACKED:
        raise UnreadableFile(
            _(
                "This workbook is far larger inside than %(rows)s rows can be. Copy the rows into a new workbook and save that.",
                rows=MOST_ROWS,
            )
        )
    is_xml = name.lower().endswith((".xml", ".rels"))
    if is_xml and (any(word in seen for word in _DECLARES) or seen.startswith(_UTF16) or b"\0" in seen):
        raise UnreadableFile(_("This workbook holds what no office program writes. Save it as XLSX again."))


def _limited(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    filled = 0
    for number, row in enumerate(rows, start=1):
        if number > MOST_LINES:
            raise UnreadableFile(
                _(
                    "The file goes on below row %(most_lines)s. Delete the empty rows between those that count.",
                    most_lines=times.number(MOST_LINES),
                )
            )
        if len(_trimmed(row)) > MOST_COLUMNS:
            raise UnreadableFile(
                _("The file has a row with more than %(most_columns)s columns.", most_columns=MOST_COLUMNS)
            )
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise UnreadableFile(
                _(
                    "A cell of the file holds more than %(longest_cell)s characters.",
                    longest_cell=times.number(LONGEST_CELL),
                )
            )
        filled += any(cell.strip() for cell in row)
        yield row
        if filled > MOST_ROWS + 1:
            return


def _trimmed(row: Sequence[str]) -> tuple[str, ...]:
    cells = list(row)
    while cells and not cells[-1].strip():
        cells.pop()
    return tuple(cells)


def _text(cell: Any) -> str:
    """A cell as a person would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(timespec="minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
