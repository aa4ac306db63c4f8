"""A distribution: columns that stand side by side, each with its number above and its range below."""

from __future__ import annotations

from collections.abc import Sequence

from portal.core.language import _
from portal.core.times import number
from reports.charts.chart import Amount, Chart, Spoken, Table, amounts_table
from reports.charts.drawing import EDGE, MAIN, SMALL, Canvas, Drawing, cut, wrapped

#: Pixels: the tallest column, the number above it, and a line of a range.
PLOT, HEAD, LINE_HEIGHT = 140, 20, 15
MOST_LINES = 3
#: A column's share of its place.
THICK = 0.76


def distribution(
    key: str,
    heading: str,
    finding: str,
    bins: Sequence[Amount],
    *,
    measured: str,
    label: str = "",
    spoken: Spoken = number,
    table: Table | None = None,
) -> Chart:
    """One column for each bin, in the order given. At most ten bins have room on a phone."""
    tallest = max((one.value for one in bins), default=0)

    def draw(canvas: Canvas) -> Drawing:
        foot = 0
        for place, one in enumerate(bins):
            width = 1 / len(bins)
            middle = (place + 0.5) * width
            height = PLOT * max(one.value, 0) / tallest if tallest > 0 else 0
            top = HEAD + PLOT - height
            canvas.box(middle - width * THICK / 2, top, width * THICK, height, fill=MAIN)
            room = width * canvas.room
            canvas.text(
                middle, top - 5, cut(spoken(one.value), room, SMALL), anchor="middle", size=SMALL, bold=True
            )
            lines = wrapped(one.label, room - 3, SMALL, MOST_LINES)
            foot = max(foot, len(lines))
            for line, text in enumerate(lines):
                canvas.text(middle, HEAD + PLOT + 17 + line * LINE_HEIGHT, text, anchor="middle", size=SMALL)
        canvas.segment(0, HEAD + PLOT, 1, HEAD + PLOT, stroke=EDGE)
        return canvas.done(HEAD + PLOT + 8 + foot * LINE_HEIGHT)

    return Chart(
        key,
        heading,
        finding,
        table or amounts_table(label or _("Range"), measured, bins, spoken),
        draw,
        empty=not bins or tallest <= 0,
    )
