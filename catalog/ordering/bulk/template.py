"""The template of a file of orders: the columns' names, and on a second sheet what goes into them."""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

from catalog.offerings.language import OfferingDocument
from catalog.ordering.bulk.columns import columns_of
from portal.core.csv_cells import as_text, csv_file
from portal.core.language import _

_WIDTH = 28
_WIDE = 70


def csv_template(document: OfferingDocument) -> bytes:
    """One row with the columns' labels, in UTF-8 with a mark that office programs know it by."""
    return csv_file([[column.label for column in columns_of(document)]])


def xlsx_template(document: OfferingDocument) -> bytes:
    """A workbook: the sheet to fill in, every cell of it text, and the sheet that explains it."""
    book = Workbook()
    sheet = book.active
    sheet.title = _("Orders")
    columns = columns_of(document)
    for number, column in enumerate(columns, start=1):
        _write(sheet, 1, number, column.label, bold=True)
        dimension = sheet.column_dimensions[sheet.cell(1, number).column_letter]
        dimension.width = _WIDTH
        # As text, so that the program does not make 443-445 a date.
        dimension.number_format = "@"
    sheet.freeze_panes = "A2"
    guide = book.create_sheet(_("How to fill it in"))
    for number, title in enumerate((_("Column"), _("Needed"), _("What goes in"), _("For example")), start=1):
        _write(guide, 1, number, title, bold=True)
        guide.column_dimensions[guide.cell(1, number).column_letter].width = (
            _WIDE if number > 2 else _WIDTH  # noqa: PLR2004  (the two texts)
        )
    for row, column in enumerate(columns, start=2):
        for number, text in enumerate(
            (column.label, _("yes") if column.needed else _("no"), column.accepted, column.example), start=1
        ):
            _write(guide, row, number, text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, text: str, *, bold: bool = False) -> None:
    cell = sheet.cell(row, column)
    cell.value = as_text(text)
    # A text that begins with = is a formula to this library unless its type is said.
    cell.data_type = "s"
    cell.font = Font(bold=bold)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
