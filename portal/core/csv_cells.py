"""Cells of CSV files that spreadsheet programs open: text stays text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_text(text: str) -> str:
    """The text so that no program takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_file(rows: Iterable[Iterable[str]]) -> bytes:
    """The rows as CSV in UTF-8, with the mark that office programs know it by; every cell stays text."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([as_text(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
