"""What is refused, and why: by whom and where, never in the words that one person wrote to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from catalog.requests.states import State
from portal.core.language import _, ngettext, spoken
from portal.core.times import number
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart, Table
from reports.figures.sheet import MOST_BARS

#: What came to nothing by somebody's word or a rule's; what failed is not over.
TO_NOTHING = (State.REJECTED, State.REFUSED, State.WITHDRAWN)


def refusals(ended: Iterable[Any]) -> Chart:
    """Requests that came to nothing, by reason. A row has `state`, and `stage`: the one in which somebody said no."""
    found = Counter(_why(row.state, row.stage) for row in ended)
    ordered = sorted(found, key=lambda why: (-found[why], why))
    finding = _("No request was refused or withdrawn in this period.")
    if ordered:
        finding = ngettext(
            "%(count)s request came to nothing: %(why)s.",
            "%(count)s requests came to nothing. The most frequent reason: %(why)s.",
            found.total(),
            count=number(found.total()),
            why=ordered[0],
        )
    return bars(
        "refusals",
        _("Refusals and why"),
        finding,
        [Amount(why, found[why]) for why in ordered[:MOST_BARS]],
        measured=_("Requests"),
        label=_("Why"),
        table=Table(
            (_("Why"), (_("Requests"), "number")), tuple((why, number(found[why])) for why in ordered)
        ),
    )


def _why(state: State, stage: str | None) -> str:
    if state is State.REFUSED:
        return _("A rule or the target said no")
    if state is State.WITHDRAWN:
        return _("Taken back by the requester")
    if stage is None:
        return _("Nobody decided in time")
    return _("%(stage)s said no", stage=spoken(stage))
