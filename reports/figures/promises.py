"""What became of a promise, told by the database itself so that no request is read for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, literal

from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.language import _
from portal.core.times import number
from reports.charts.chart import Chart, Stack, Table
from reports.charts.stacked import stacked
from reports.charts.words import percent
from reports.figures.sheet import MOST_BARS

KEPT, MISSED, OPEN, NONE = "kept", "missed", "open", "none"
ORDER = (KEPT, MISSED, OPEN, NONE)
_NOT_CARRIED_OUT = (State.REJECTED, State.WITHDRAWN, State.REFUSED)


def promise_words(at: datetime) -> ColumnElement[str]:
    """One of the words for each request, at this moment (UTC); as `reports.audits.population.promise_of` has it.

    A request that was refused or taken back before its promise passed has none to keep.
    """
    return case(
        (Request.promised_by.is_(None), literal(NONE)),
        (Request.fulfilled_at <= Request.promised_by, literal(KEPT)),
        (Request.fulfilled_at > Request.promised_by, literal(MISSED)),
        (Request.promise_missed_at.is_not(None), literal(MISSED)),
        (Request.state.in_(_NOT_CARRIED_OUT), literal(NONE)),
        (Request.promised_by >= at, literal(OPEN)),
        else_=literal(MISSED),
    )


def promises(key: str, heading: str, label: str, made: Sequence[tuple[str, str]]) -> Chart:
    """What became of promises, from the name under which each is counted and the word of `promise_words`."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for name, word in made:
        counted[name][word] += 1
    ordered = sorted(counted, key=lambda name: (-counted[name].total(), name))
    kept, missed = (sum(counts[word] for counts in counted.values()) for word in (KEPT, MISSED))
    if kept + missed:
        finding = _(
            "%(share)s of the promises that came due were kept: %(kept)s kept, %(missed)s missed.",
            share=percent(kept / (kept + missed)),
            kept=number(kept),
            missed=number(missed),
        )
    elif made:
        finding = _("No promise of a request of this period has come due yet.")
    else:
        finding = _("Nobody submitted a request in this period.")
    return stacked(
        key,
        heading,
        finding,
        [Stack(name, tuple(counted[name][word] for word in ORDER)) for name in ordered[:MOST_BARS]],
        words=(_("Kept in time"), _("Missed"), _("Not due yet"), _("No promise")),
        label=label,
        table=Table(
            (
                label,
                *(
                    (word, "number")
                    for word in (_("Kept in time"), _("Missed"), _("Not due yet"), _("No promise"), _("All"))
                ),
            ),
            tuple(
                (
                    name,
                    *(number(counted[name][word]) for word in ORDER),
                    number(counted[name].total()),
                )
                for name in ordered
            ),
        ),
    )
