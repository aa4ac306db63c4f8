"""Cells of CSV files that spreadsheet programs open: text stays text."""

from __future__ import annotations

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_text(text: str) -> str:
    """The text so that no program takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
