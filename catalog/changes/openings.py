"""Openings: the next instant that lies in every change window and outside every freeze.

The windows of one scope are alternatives, those of different scopes must all be open. Everything is computed in whole
seconds of UTC; only the hours themselves were written in local time (catalog.offerings.windows).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from catalog.offerings.windows import spans_of
from portal.core.spans import Span, intersect, merge, subtract

#: How far is looked ahead, in days: near first, since nearly every window opens within a week.
HORIZONS = (16, 80, 400)


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly or monthly hours (catalog.offerings.windows), and what they are called."""

    name: str
    timezone: str
    times: tuple[str, ...]
    #: The restriction's number; 0 for the offering's own.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time (UTC) in which nothing is carried out, and why."""

    reason: str
    begins: datetime
    ends: datetime
    number: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """When something may be carried out.

    `at` is UTC and never before the moment that was asked about; None where there is no such instant within 400 days.
    `until` is when that comes to an end; None for not within the horizon. `windows` are those that it lies in,
    `freezes` those that it waits for.
    """

    at: datetime | None
    until: datetime | None = None
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()


def next_common_opening(
    scopes: Sequence[Sequence[Window]], freezes: Iterable[Freeze], moment: datetime
) -> Opening:
    """The first opening at or after the moment (aware) in one window of each scope and in no freeze."""
    moment = moment.astimezone(UTC)
    freezes = tuple(freeze for freeze in freezes if freeze.ends > moment)
    found = _search(scopes, freezes, moment)
    if not freezes or found.at == moment or found.at == _search(scopes, (), moment).at:
        return found
    until = found.at
    return replace(found, freezes=tuple(one for one in freezes if until is None or one.begins < until))


def _search(scopes: Sequence[Sequence[Window]], freezes: Sequence[Freeze], moment: datetime) -> Opening:
    for days in HORIZONS:
        horizon = moment + timedelta(days=days)
        found = _first(_open_spans(scopes, freezes, moment, horizon), moment)
        if found is None:
            continue
        opens, closes = found
        return Opening(
            at=opens,
            until=closes if closes < horizon else None,
            windows=tuple(_containing(scopes, opens)),
        )
    return Opening(None)


def _open_spans(
    scopes: Sequence[Sequence[Window]], freezes: Sequence[Freeze], moment: datetime, horizon: datetime
) -> tuple[Span, ...]:
    spans: tuple[Span, ...] = ((_second(moment), _second(horizon)),)
    for windows in scopes:
        hours = merge(span for window in windows for span in spans_of(window, moment, horizon))
        spans = intersect(spans, hours)
    return subtract(spans, merge((_second(one.begins), _second(one.ends) - 1) for one in freezes))


def _first(spans: Sequence[Span], moment: datetime) -> tuple[datetime, datetime] | None:
    """The first span as instants: where it begins, though not before the moment, and the first one after it."""
    if not spans:
        return None
    first, last = spans[0]
    return max(moment, datetime.fromtimestamp(first, UTC)), datetime.fromtimestamp(last + 1, UTC)


def _containing(scopes: Sequence[Sequence[Window]], at: datetime) -> Iterable[Window]:
    second = _second(at)
    for windows in scopes:
        for window in windows:
            if any(first <= second <= last for first, last in spans_of(window, at, at)):
                yield window


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
