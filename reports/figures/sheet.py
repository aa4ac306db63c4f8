"""What every page of figures is asked, and what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from portal.identity.actor import Actor
from reports.charts.chart import Chart
from reports.figures.period import Period
from reports.figures.scope import Scope

#: More bars than this nobody compares; the table has them all.
MOST_BARS = 12
#: A table of so many columns has room in half the width.
_NARROW = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, for what, and when (UTC)."""

    actor: Actor
    scope: Scope
    period: Period
    at: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of figures: what is counted, in sentences, and the charts. `beside` stands under a chart of that key."""

    counted: tuple[str, ...]
    charts: tuple[Chart, ...]
    beside: dict[str, tuple[str, ...]]

    @property
    def rows(self) -> tuple[tuple[Chart, ...], ...]:
        """The charts as they stand on a wide screen: two beside each other where their tables have room for it."""
        rows: list[tuple[Chart, ...]] = []
        for chart in self.charts:
            beside = rows and len(rows[-1]) == 1 and _is_narrow(rows[-1][0]) and _is_narrow(chart)
            if beside:
                rows[-1] = (*rows[-1], chart)
            else:
                rows.append((chart,))
        return tuple(rows)

    def find_chart(self, key: str) -> Chart | None:
        """The chart of this key."""
        return next((chart for chart in self.charts if chart.key == key), None)


def _is_narrow(chart: Chart) -> bool:
    return len(chart.table.columns) <= _NARROW


def percentile(numbers: Iterable[float], share: float) -> float:
    """The smallest of the numbers that so great a share of them does not exceed (nearest rank).

    Raises ValueError without numbers.
    """
    ordered = sorted(numbers)
    if not ordered:
        message = "no numbers, no percentile"
        raise ValueError(message)
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]
