"""How answers of time are checked: a moment in the zone of whoever answers, and a duration by the clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.offerings.facts import day_text
from catalog.offerings.field_times import DateTimeField, DurationField
from catalog.offerings.form_context import FormContext
from catalog.offerings.typed import cut, one
from catalog.offerings.words import duration_text, span_of
from portal.core.times import clock

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?([+-][0-9]{2}:[0-9]{2}|Z)?")
_DURATION = re.compile(r"([1-9][0-9]{0,4}) ?(m|min|minutes?|h|hours?|d|days?)", re.IGNORECASE)


def _date_time(field: DateTimeField, typed: Any, context: FormContext) -> str:
    text = one(typed)
    zone = ZoneInfo(context.actor.timezone)
    try:
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        example = f"{context.today + timedelta(days=1)} 22:00"
        raise ValueError(f"“{cut(text)}” is not a date and time. Write it like {example}.")
    moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment.utcoffset() != moment.astimezone(ZoneInfo("UTC")).astimezone(zone).utcoffset():
        raise ValueError(f"The clocks change then, so {clock(moment)} does not exist. Choose another time.")
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    if moment.date() < earliest:
        raise ValueError(f"{day_text(moment.date())} is too early. Choose {day_text(earliest)} or later.")
    if moment.date() > latest:
        raise ValueError(f"{day_text(moment.date())} is too late. Choose {day_text(latest)} or earlier.")
    return moment.isoformat(timespec="minutes")


def _duration(field: DurationField, typed: Any, context: FormContext) -> str:
    text = one(typed)
    written = _DURATION.fullmatch(text)
    if written is None:
        raise ValueError(f"“{cut(text)}” is not a duration. Write it like 90 minutes, 4 hours or 2 days.")
    duration = f"{int(written[1])}{written[2][0].lower()}"
    if not span_of(field.at_least) <= span_of(duration) <= span_of(field.at_most):
        raise ValueError(
            f"Enter a duration from {duration_text(field.at_least)} to {duration_text(field.at_most)}."
        )
    return duration


def moment_text(moment: str) -> str:
    """An answered moment as people write it: `3 January 2027, 22:00 (UTC+01:00)`."""
    at = datetime.fromisoformat(moment)
    return f"{day_text(at.date())}, {clock(at)} ({at:%Z})"


TIME_CHECKS: Mapping[str, Callable[[Any, Any, FormContext], Any]] = {
    "date_time": _date_time,
    "duration": _duration,
}
