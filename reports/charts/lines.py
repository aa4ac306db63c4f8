"""Lines over time. Each has its own dash and shape of point, and ends in its number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10

from portal.core.language import _
from portal.core.times import number
from reports.charts.chart import Chart, Line, Spoken, Table
from reports.charts.drawing import EDGE, INK, LINE, MAIN, MUTED, SMALL, Canvas, Drawing, Mark, MarkShape, cut
from reports.charts.drawing import letters_wide as wide

#: Pixels: the plot, a line of the legend, and the line of names under the plot.
PLOT, LEGEND, FOOT = 170, 21, 24
#: The plot's share of the width; the numbers at the lines' ends have the rest.
SHARE = 0.82
#: In a table, where there is no number.
NOTHING = "—"
#: How far apart two numbers at the lines' ends stand at least, in pixels.
APART = 16
_STYLES: tuple[tuple[str, str, MarkShape], ...] = (
    (MAIN, "", "dot"),
    (INK, "7 4", "frame"),
    (EDGE, "2 3", "ring"),
    (MUTED, "12 3 2 3", "square"),
)
MOST = len(_STYLES)


def lines(
    key: str,
    heading: str,
    finding: str,
    points: Sequence[str],
    series: Sequence[Line],
    *,
    label: str = "",
    spoken: Spoken = number,
    table: Table | None = None,
) -> Chart:
    """Lines over the points, from zero; a line has a gap where it has no number.

    Raises ValueError for more than four lines, and for a line that has not one value a point.
    """
    if len(series) > MOST or any(len(line.values) != len(points) for line in series):
        message = f"at most {MOST} lines, each with a value for every point"
        raise ValueError(message)
    top = _round_up(max((value for line in series for value in line.values if value is not None), default=0))
    behind = Table(
        (label or _("When"), *((line.label, "number") for line in series)),
        tuple(
            (
                point,
                *(NOTHING if line.values[at] is None else spoken(line.values[at] or 0) for line in series),
            )
            for at, point in enumerate(points)
        ),
    )

    def draw(canvas: Canvas) -> Drawing:
        head = _legend(canvas, series) + 16
        _grid(canvas, head, top, spoken)
        _names(canvas, head + PLOT + 18, points)
        ends = []
        for place, line in enumerate(series):
            ends += _line(canvas, head, top, line, _STYLES[place])
        _ends(canvas, ends, spoken)
        return canvas.done(head + PLOT + FOOT)

    drawn = any(value is not None for line in series for value in line.values)
    return Chart(key, heading, finding, table or behind, draw, empty=not drawn)


def _legend(canvas: Canvas, series: Sequence[Line]) -> float:
    for place, line in enumerate(series):
        y = place * LEGEND + 8.5
        stroke, dash, shape = _STYLES[place]
        # In pixels, not in shares: a sample is as long on every screen.
        canvas.pixels(0, y, 30, stroke=stroke, dash=dash)
        canvas.marks.append(Mark("15", y, shape, stroke))
        canvas.text(0, y + 4.5, cut(line.label, canvas.room - 40, SMALL), size=SMALL, dx=40)
    return len(series) * LEGEND


def _grid(canvas: Canvas, head: float, top: float, spoken: Spoken) -> None:
    for part in (0.0, 0.5, 1.0):
        y = head + PLOT * (1 - part)
        canvas.segment(0, y, SHARE, y, stroke=EDGE if part == 0 else LINE)
        if part:
            canvas.text(0, y - 4, spoken(top * part), size=SMALL, fill=MUTED)


def _names(canvas: Canvas, y: float, points: Sequence[str]) -> None:
    """As many names as fit, the last one always."""
    widest = max((wide(point, SMALL) for point in points), default=0) + 12
    each = max(ceil(len(points) * widest / (canvas.room * SHARE)), 1)
    for at, point in enumerate(points):
        if (len(points) - 1 - at) % each == 0:
            canvas.text(_place(at, len(points)), y, point, anchor="middle", size=SMALL, fill=MUTED)


def _line(
    canvas: Canvas, head: float, top: float, line: Line, style: tuple[str, str, MarkShape]
) -> list[tuple[float, float]]:
    """The line; gives the height at which it ends, and its last number, if it has any."""
    stroke, dash, shape = style
    found = [
        (_place(at, len(line.values)), head + PLOT * (1 - value / top), value) if value is not None else None
        for at, value in enumerate(line.values)
    ]
    for before, after in pairwise(found):
        if before and after:
            canvas.segment(before[0], before[1], after[0], after[1], stroke=stroke, thick=2, dash=dash)
    known = [place for place in found if place]
    canvas.marks += [Mark(canvas.x(x), y, shape, stroke) for x, y, _value in known]
    return [(known[-1][1], known[-1][2])] if known else []


def _ends(canvas: Canvas, ends: list[tuple[float, float]], spoken: Spoken) -> None:
    """The last numbers beside the lines, moved apart where lines end close together."""
    reached = float("-inf")
    for y, value in sorted(ends):
        reached = max(y, reached + APART)
        canvas.text(SHARE, reached + 4.5, spoken(value), size=SMALL, bold=True, dx=6)


def _place(at: int, points: int) -> float:
    """Where a point stands, as a share of the width; half a step from the edges, so that its name has room."""
    return SHARE * (at + 0.5) / points


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 1 for a line that lies at zero."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
