"""How answers of time are checked: a moment in the zone of whoever answers, and a duration by the clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.offerings.facts import day_text
from catalog.offerings.field_times import DateTimeField, DurationField
from catalog.offerings.form_context import FormContext
from catalog.offerings.typed import cut, one
from catalog.offerings.words import duration_text, span_of
from portal.core.language import _
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
        raise ValueError(
            _(
                "“%(typed)s” is not a date and time. Write it like %(example)s.",
                typed=cut(text),
                example=example,
            )
        )
    moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment.utcoffset() != moment.astimezone(ZoneInfo("UTC")).astimezone(zone).utcoffset():
        raise ValueError(f"The clocks change then, so {clock(moment)} does not exist. Choose another time.")
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    check_day(moment.date(), earliest, latest)
    return moment.isoformat(timespec="minutes")


def _duration(field: DurationField, typed: Any, context: FormContext) -> str:
    text = one(typed)
    written = _DURATION.fullmatch(text)
    if written is None:
        raise ValueError(
            _("“%(typed)s” is not a duration. Write it like 90 minutes, 4 hours or 2 days.", typed=cut(text))
        )
    duration = f"{int(written[1])}{written[2][0].lower()}"
    if not span_of(field.at_least) <= span_of(duration) <= span_of(field.at_most):
        raise ValueError(
            _(
                "Enter a duration from %(least)s to %(most)s.",
                least=duration_text(field.at_least),
                most=duration_text(field.at_most),
            )
        )
    return duration


def check_day(day: date, earliest: date, latest: date) -> None:
    """Raises ValueError for a day before the earliest or after the latest."""
    if day < earliest:
        raise ValueError(
            _(
                "%(day)s is too early. Choose %(earliest)s or later.",
                day=day_text(day),
                earliest=day_text(earliest),
            )
        )
    if day > latest:
        raise ValueError(
            _(
                "%(day)s is too late. Choose %(latest)s or earlier.",
                day=day_text(day),
                latest=day_text(latest),
            )
        )


def moment_text(moment: str) -> str:
    """An answered moment as people write it: `3 January 2027, 22:00 (UTC+01:00)`."""
    at = datetime.fromisoformat(moment)
    return f"{day_text(at.date())}, {clock(at)} ({at:%Z})"


TIME_CHECKS: Mapping[str, Callable[[Any, Any, FormContext], Any]] = {
    "date_time": _date_time,
    "duration": _duration,
}
