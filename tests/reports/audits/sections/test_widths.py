"""Columns are wide enough for their words in every language: none is broken, and a time stands on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from fontTools.ttLib import TTFont

from portal.core.assets import static_folder
from portal.core.language import LANGUAGES, speaking
from reports.audits.html import CLOSE
from reports.audits.pages.population import shown_population
from reports.audits.sections.registry import shown_sections
from reports.audits.sections.shapes import Table
from tests.reports.audits.sections.told import told

#: Of audit.css: what a table has, what is kept free of a cell, and the points of heads and cells. Millimetres.
PAPER, FREE, HEAD, CELL, CLOSE_CELL = 170.0, 2.5, 8.0, 8.5, 8.0
MM_PER_POINT = 25.4 / 72
#: What is written for machines may break anywhere.
WORD = re.compile(r"[^\W_](?:[\w’'-]|[.:/](?=\d)){0,29}[.,;:!?%)]*|\S{1,3}")  # noqa: RUF001
MOMENT = re.compile(r"\d{1,2}\.? \w{3,5}\.? \d{4}, \d\d:\d\d(?: Uhr)?")
LONGEST_MOMENT = {"en": "30 Sep 2026, 00:00", "de": "30. Sept. 2026, 00:00 Uhr"}
#: Those of emergencies share their line with a sentence that takes two anyway.
ON_TWO_LINES = {"Due", "Closed", "Fällig", "Geschlossen"}


@cache
def _letters(face: str) -> tuple[dict[int, str], dict[str, tuple[int, int]], int]:
    font = TTFont(static_folder() / "pdf" / "fonts" / f"IBMPlexSans-{face}.ttf")
    return font.getBestCmap(), font["hmtx"].metrics, font["head"].unitsPerEm


def wide(text: str, points: float, face: str = "Regular") -> float:
    """Millimetres that the text takes on paper."""
    glyphs, widths, em = _letters(face)
    return sum(widths[glyphs[ord(letter)]][0] for letter in text) / em * points * MM_PER_POINT


def _columns(table: Table) -> Iterator[tuple[str, float, list[str], str]]:
    """Each column's label, the millimetres for its words, its cells, and their face."""
    rest = PAPER - sum(column.width for column in table.columns)
    shared = rest / sum(not column.width for column in table.columns)
    for place, column in enumerate(table.columns):
        room = column.width or shared
        room -= 0 if place == len(table.columns) - 1 else FREE
        room -= FREE if place and table.columns[place - 1].figure else 0
        yield column.label, room, [str(row[place]) for row in table.rows], "Regular" if place else "SemiBold"


def _tables(language: str) -> Iterator[Table]:
    audit = told(language=language)
    with speaking(language):
        yield from shown_population(audit).tables
        for shown in shown_sections(audit).values():
            yield from shown.tables


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_head_or_cell_is_broken(language: str) -> None:
    broken, seen = [], 0
    for table in _tables(language):
        points = CLOSE_CELL if len(table.rows) > CLOSE else CELL
        for label, room, cells, face in _columns(table):
            words = [(word, HEAD, "SemiBold") for word in label.split()]
            words += [(word, points, face) for cell in cells for word in cell.split() if WORD.fullmatch(word)]
            seen += len(words)
            broken += [
                (table.caption, label, word) for word, size, face in words if wide(word, size, face) > room
            ]
    assert seen > 500
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_time_stands_on_one_line(language: str) -> None:
    columns = [
        (table.caption, label, room)
        for table in _tables(language)
        for label, room, cells, _face in _columns(table)
        if cells and all(MOMENT.fullmatch(cell) for cell in cells) and label not in ON_TWO_LINES
    ]
    assert len(columns) >= 4
    longest = wide(LONGEST_MOMENT[language], CELL)
    assert [column for column in columns if longest > column[2]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reference_of_ten_characters_fits_where_one_begins_a_row(language: str) -> None:
    labels = {"Request", "Antrag"}
    rooms = [
        room
        for table in _tables(language)
        for place, (label, room, *_rest) in enumerate(_columns(table))
        if not place and label in labels
    ]
    assert len(rooms) >= 2
    assert all(wide("SR-1000000", CELL, "SemiBold") <= room for room in rooms)
