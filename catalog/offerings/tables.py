"""Tables: rows of the same columns, typed cell by cell or pasted as CSV from a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.offerings.fields import Column, TableField
from catalog.offerings.form_context import FormContext
from catalog.offerings.typed import cut, is_empty
from portal.core.language import _, ngettext

#: How a cell is named in a form, and where rows may be pasted.
PASTE_SUFFIX = "-paste"
#: The button that adds rows; its name begins with an underscore, so it is the page's and no answer.
MORE_ROWS = "_rows-"
ROWS_ADDED = 5
_SHOWN_PROBLEMS = 5
_CELL = re.compile(r"([0-9]{1,3})-([a-z][a-z0-9_]*)")

Row = dict[str, Any]


def cell_name(field: str, row: int, column: str) -> str:
    """The form's name of one cell; rows count from 0."""
    return f"{field}-{row}-{column}"


def rows_posted(field: TableField, form: Mapping[str, str]) -> list[Row]:
    """The rows as they were typed, empty ones too, and after them those that were pasted.

    Raises ValueError for pasted text that has too many columns.
    """
    rows: dict[int, Row] = {}
    columns = {column.name for column in field.columns}
    for name, value in form.items():
        cell = (
            _CELL.fullmatch(name.removeprefix(field.name + "-"))
            if name.startswith(field.name + "-")
            else None
        )
        if cell and cell[2] in columns and int(cell[1]) < field.at_most + field.shown + ROWS_ADDED:
            rows.setdefault(int(cell[1]), {})[cell[2]] = value
    typed = [rows[number] for number in sorted(rows)]
    pasted = rows_pasted(field, form.get(field.name + PASTE_SUFFIX, ""))
    return [*(row for row in typed if not (pasted and is_empty(row))), *pasted]


def rows_pasted(field: TableField, text: str) -> list[Row]:
    """Rows of CSV: commas, semicolons or tabs between cells; a first line with the columns' labels is left out.

    Raises ValueError when a line has more cells than the table has columns.
    """
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines:
        return []
    separator = max("\t;,", key=lines[0].count)
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator), start=1):
        if len(cells) > len(field.columns):
            labels = ", ".join(column.label for column in field.columns)
            raise ValueError(
                _(
                    "Line %(line)s of what was pasted has %(count)s cells; the columns are %(columns)s.",
                    line=number,
                    count=len(cells),
                    columns=labels,
                )
            )
        row = {column.name: cell.strip() for column, cell in zip(field.columns, cells, strict=False)}
        if number == 1 and _is_heading(field.columns, row):
            continue
        rows.append(row)
    return rows


def check_rows(
    field: TableField,
    typed: Any,
    context: FormContext,
    checks: Mapping[str, Callable[[Any, Any, FormContext], Any]],
) -> list[Row]:
    """The rows that are not empty, each cell checked as its column's kind is. Raises ValueError with every problem."""
    if not isinstance(typed, list | tuple) or not all(isinstance(row, Mapping) for row in typed):
        raise ValueError(_("Fill in the rows of the table."))
    rows: list[Row] = []
    problems: list[str] = []
    for number, row in enumerate(typed, start=1):
        if not is_empty(dict(row)):
            rows.append(_row(field, number, row, problems=problems, context=context, checks=checks))
    if problems:
        raise ValueError(_told(problems))
    if not field.at_least <= len(rows) <= field.at_most:
        raise ValueError(
            _(
                "These are %(count)s rows; fill in %(least)s to %(most)s.",
                count=len(rows),
                least=field.at_least,
                most=field.at_most,
            )
        )
    return rows


def _row(
    field: TableField,
    number: int,
    row: Mapping[str, Any],
    *,
    problems: list[str],
    context: FormContext,
    checks: Mapping[str, Callable[[Any, Any, FormContext], Any]],
) -> Row:
    """The row's checked cells; what is wrong is added to the problems."""
    columns = {column.name for column in field.columns}
    problems += [
        _("Row %(row)s has no column “%(column)s”.", row=number, column=cut(name))
        for name in row
        if name not in columns
    ]
    checked: Row = {}
    for column in field.columns:
        try:
            value = _cell(column, row.get(column.name), context, checks)
        except ValueError as error:
            problems.append(
                _("Row %(row)s, %(column)s: %(problem)s", row=number, column=column.label, problem=error)
            )
        else:
            if value is not None:
                checked[column.name] = value
    return checked


def _told(problems: Sequence[str]) -> str:
    shown = list(problems[:_SHOWN_PROBLEMS])
    left = len(problems) - len(shown)
    if left:
        shown.append(ngettext("%(number)s more is wrong.", "%(number)s more are wrong.", left))
    return " ".join(text if text.endswith((".", "?", "”")) else text + "." for text in shown)


def _cell(
    column: Column,
    typed: Any,
    context: FormContext,
    checks: Mapping[str, Callable[[Any, Any, FormContext], Any]],
) -> Any:
    if is_empty(typed):
        if column.required:
            raise ValueError(column.missing or _("this cell is empty."))
        return None
    return checks[column.kind](column, typed, context)


def _is_heading(columns: Sequence[Column], row: Row) -> bool:
    names = {name.casefold() for column in columns for name in (column.label, column.name)}
    return all(cell.casefold() in names for cell in row.values() if cell)
