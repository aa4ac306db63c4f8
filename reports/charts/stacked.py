"""Bars made of parts: each part has its own lightness, its number in it where it fits, and a line in the legend."""

from __future__ import annotations

from collections.abc import Sequence

from portal.core.language import _
from portal.core.times import number
from reports.charts.chart import Chart, Spoken, Stack, Table
from reports.charts.drawing import EDGE, SMALL, STEPS, Canvas, Drawing, cut, letters_wide

#: Pixels: from bar to bar, the bar, where it begins under its name, and a line of the legend.
ROW, BAR, UNDER, LEGEND = 52, 22, 22, 21
MOST = len(STEPS)


def stacked(
    key: str,
    heading: str,
    finding: str,
    items: Sequence[Stack],
    *,
    words: Sequence[str],
    label: str = "",
    spoken: Spoken = number,
    table: Table | None = None,
) -> Chart:
    """One bar for each item, the longest as wide as the drawing; `words` name the parts.

    Raises ValueError for more than five parts: nobody tells more apart.
    """
    if len(words) > MOST:
        message = f"a stacked bar has at most {MOST} parts"
        raise ValueError(message)
    longest = max((sum(item.parts) for item in items), default=0)
    behind = Table(
        (label or _("What"), *((word, "number") for word in words)),
        tuple((item.label, *(spoken(part) for part in item.parts)) for item in items),
    )

    def draw(canvas: Canvas) -> Drawing:
        for place, word in enumerate(words):
            canvas.sample(place * LEGEND + 1, STEPS[place][0])
            canvas.text(0, place * LEGEND + 12.5, cut(word, canvas.room - 22, SMALL), size=SMALL, dx=22)
        top = len(words) * LEGEND + 8
        for place, item in enumerate(items):
            y = top + place * ROW
            total = spoken(sum(item.parts))
            canvas.text(0, y + 15, cut(item.label, canvas.room - letters_wide(total) - 14))
            canvas.text(1, y + 15, total, anchor="end", bold=True)
            _parts(canvas, y + UNDER, item.parts, longest, spoken)
        return canvas.done(top + len(items) * ROW)

    return Chart(key, heading, finding, table or behind, draw, empty=not items)


def _parts(canvas: Canvas, y: float, parts: Sequence[float], longest: float, spoken: Spoken) -> None:
    begin = 0.0
    for place, part in enumerate(parts):
        if part <= 0 or longest <= 0:
            continue
        share = part / longest
        fill, letters = STEPS[place]
        canvas.box(begin, y, share, BAR, fill=fill, stroke=EDGE)
        value = spoken(part)
        if letters_wide(value, SMALL) + 8 <= share * canvas.room:
            canvas.text(
                begin + share / 2, y + 15.5, value, anchor="middle", size=SMALL, fill=letters, bold=True
            )
        begin += share
    canvas.segment(0, y - 2, 0, y + BAR + 2, stroke=EDGE, thick=2)
