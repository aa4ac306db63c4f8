"""The foot of each page, drawn when the number of pages is known: text in the document's own font, as an artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from reports.pdf.chunk import number

SIZE = 7.5
_COLOUR = b"0.29 0.353 0.38 rg"
#: Of the size: how far the baseline of a line lies below its middle.
_DROP = 0.35
#: Between the two texts, in points.
_GAP = 12.0
CUT = "…"

#: A letter's font, glyph and width (thousandths of the size).
Letters = Mapping[str, tuple[str, int, int]]


def foot(left: str, right: str, letters: Letters, measures: Sequence[float]) -> bytes:
    """What draws both texts in the middle of the bottom margin.

    `measures`: the page's width and height and its margins on the left, right and at the bottom, in points. The
    coordinates are those in which WeasyPrint leaves a page: from the top left corner, downwards.
    """
    width, height, margin_left, margin_right, margin_bottom = measures
    baseline = height - margin_bottom / 2 + _DROP * SIZE
    start = width - margin_right - length(right, letters)
    left = _fitting(left, start - _GAP - margin_left, letters)
    shown = [_line(left, margin_left, baseline, letters), _line(right, start, baseline, letters)]
    return b"/Artifact <</Type /Pagination /Subtype /Footer>> BDC\nq\n%b\n%b\nQ\nEMC" % (
        _COLOUR,
        b"\n".join(shown),
    )


def length(text: str, letters: Letters) -> float:
    """Its width in points."""
    return sum(letters[letter][2] for letter in text if letter in letters) * SIZE / 1000


def _fitting(text: str, room: float, letters: Letters) -> str:
    if length(text, letters) <= room:
        return text
    while text and length(text + CUT, letters) > room:
        text = text[:-1]
    return text.rstrip() + CUT


def _line(text: str, x: float, y: float, letters: Letters) -> bytes:
    operators = [b"BT 1 0 0 -1 %b %b Tm" % (number(x), number(y))]
    known = [letters[letter] for letter in text if letter in letters]
    for font, run in groupby(known, key=lambda letter: letter[0]):
        glyphs = b"".join(b"%04x" % glyph for _, glyph, _ in run)
        operators.append(b"/%b %b Tf <%b> Tj" % (font.encode(), number(SIZE), glyphs))
    return b"\n".join([*operators, b"ET"])
