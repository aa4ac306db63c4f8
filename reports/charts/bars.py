"""Bars that lie: a name and a number above each, so that both fit on a phone."""

from __future__ import annotations

from collections.abc import Sequence

from portal.core.language import _
from portal.core.times import number
from reports.charts.chart import Amount, Chart, Spoken, Spread, Table, amounts_table
from reports.charts.drawing import (
    EDGE,
    GROUND,
    MAIN,
    SECOND,
    SMALL,
    Canvas,
    Drawing,
    cut,
    letters_wide,
)
from reports.charts.words import percent

#: Pixels: from bar to bar, the bar, where it begins under its name, and a line of a legend.
ROW, BAR, UNDER, LEGEND = 46, 16, 22, 21


def bars(
    key: str,
    heading: str,
    finding: str,
    items: Sequence[Amount],
    *,
    measured: str,
    label: str = "",
    spoken: Spoken = number,
    table: Table | None = None,
) -> Chart:
    """One bar for each amount, the longest as wide as the drawing. Amounts below zero count as zero."""
    longest = max((item.value for item in items), default=0)
    return _amounts(
        key,
        heading,
        finding,
        items,
        whole=longest,
        ground=False,
        spoken=spoken,
        table=table or amounts_table(label or _("What"), measured, items, spoken),
    )


def shares(
    key: str,
    heading: str,
    finding: str,
    items: Sequence[Amount],
    *,
    measured: str,
    label: str = "",
    spoken: Spoken = percent,
    table: Table | None = None,
) -> Chart:
    """One bar for each share, from 0 to 1, on a ground that is the whole."""
    return _amounts(
        key,
        heading,
        finding,
        items,
        whole=1,
        ground=True,
        spoken=spoken,
        table=table or amounts_table(label or _("What"), measured, items, spoken),
    )


def spreads(
    key: str,
    heading: str,
    finding: str,
    items: Sequence[Spread],
    *,
    words: tuple[str, str],
    label: str = "",
    spoken: Spoken = number,
    table: Table | None = None,
) -> Chart:
    """A dark bar to the middle and a light one on to what lies far out; `words` name the two."""
    longest = max((max(item.far, item.middle) for item in items), default=0)
    behind = Table(
        (label or _("What"), (words[0], "number"), (words[1], "number")),
        tuple((item.label, spoken(item.middle), spoken(item.far)) for item in items),
    )

    def draw(canvas: Canvas) -> Drawing:
        for place, (word, fill) in enumerate(zip(words, (MAIN, SECOND), strict=True)):
            canvas.sample(place * LEGEND + 1, fill)
            canvas.text(0, place * LEGEND + 12.5, cut(word, canvas.room - 22, SMALL), size=SMALL, dx=22)
        top = len(words) * LEGEND + 8
        for place, item in enumerate(items):
            y = top + place * ROW
            _name(canvas, y, item.label, f"{spoken(item.middle)} · {spoken(item.far)}")
            if longest > 0:
                canvas.box(0, y + UNDER, max(item.far, 0) / longest, BAR, fill=SECOND, stroke=EDGE)
                canvas.box(0, y + UNDER, max(item.middle, 0) / longest, BAR, fill=MAIN)
            _foot(canvas, y)
        return canvas.done(top + len(items) * ROW)

    return Chart(key, heading, finding, table or behind, draw, empty=not items)


def _amounts(
    key: str,
    heading: str,
    finding: str,
    items: Sequence[Amount],
    *,
    whole: float,
    ground: bool,
    spoken: Spoken,
    table: Table,
) -> Chart:
    def draw(canvas: Canvas) -> Drawing:
        for place, item in enumerate(items):
            y = place * ROW
            _name(canvas, y, item.label, spoken(item.value))
            if ground:
                canvas.box(0, y + UNDER, 1, BAR, fill=GROUND, stroke=EDGE)
            if whole > 0:
                canvas.box(0, y + UNDER, min(max(item.value, 0) / whole, 1), BAR, fill=MAIN)
            _foot(canvas, y)
        return canvas.done(len(items) * ROW)

    return Chart(key, heading, finding, table, draw, empty=not items)


def _name(canvas: Canvas, y: float, label: str, value: str) -> None:
    """The line above a bar: what it is at the left, how much at the right."""
    canvas.text(0, y + 15, cut(label, canvas.room - letters_wide(value) - 14))
    canvas.text(1, y + 15, value, anchor="end", bold=True)


def _foot(canvas: Canvas, y: float) -> None:
    """Where bars begin, drawn so that a bar of nothing is seen to be one."""
    canvas.segment(0, y + UNDER - 2, 0, y + UNDER + BAR + 2, stroke=EDGE, thick=2)
