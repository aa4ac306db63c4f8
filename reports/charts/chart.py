"""What a chart is: its sentence, its table, and how it is drawn at a width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.charts.drawing import Canvas, Drawing

#: A number as its reader reads it.
Spoken = Callable[[float], str]
#: The name of a column; with "number" it is set to the right.
Column = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Amount:
    """One bar or column."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A middle and what lies far out, such as a median and a 90th percentile."""

    label: str
    middle: float
    far: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar made of parts, in the order of the chart's words."""

    label: str
    parts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line over the chart's points; None where there is no number."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a chart, as text in the reader's language. The first cell of a row is its header."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart."""

    key: str
    heading: str
    finding: str
    table: Table
    #: The shapes on a canvas.
    draw: Callable[[Canvas], Drawing]
    #: Nothing to draw: the finding says why.
    empty: bool = False

    def drawing(self, width: float | None = None) -> Drawing:
        """The shapes: for a page when no width is given, else for paper of this width in millimetres."""
        return self.draw(Canvas.of(width))


def amounts_table(label: str, measured: str, items: Sequence[Amount], spoken: Spoken) -> Table:
    """The table behind amounts, where the caller has no better one."""
    rows = tuple((item.label, spoken(item.value)) for item in items)
    return Table((label, (measured, "number")), rows)
