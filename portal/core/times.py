"""Days, times, numbers and sizes as people write them, in the language that is spoken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone_name
from babel.numbers import format_decimal

from portal.core.language import SOURCE, _, language, locale, ngettext

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class _Patterns:
    """How one language puts a day and a time of day together, in CLDR's letters (UTS 35, part 4)."""

    day: str
    weekday: str
    short: str
    same_year: str
    time: str


#: CLDR's own patterns put a comma into English and leave the word for o'clock out of German.
_PATTERNS: Mapping[str, _Patterns] = {
    "en": _Patterns("d MMMM y", "EEEE d MMMM y", "d MMM y", "EEEE d MMMM", "HH:mm"),
    "de": _Patterns("d. MMMM y", "EEEE, d. MMMM y", "d. MMM y", "EEEE, d. MMMM", "HH:mm 'Uhr'"),
}
#: British English abbreviates September by four letters, which no table of ours is made for.
_SHORT_NAMES = {"en": Locale.parse("en")}


def day(when: date) -> str:
    """A day: `27 November 2026`. Of a moment, the day in its own zone."""
    return _day(when, _patterns().day)


def weekday(when: date) -> str:
    """A day with its name: `Friday 27 November 2026`."""
    return _day(when, _patterns().weekday)


def day_short(when: date) -> str:
    """A day in little space: `27 Nov 2026`."""
    return _day(when, _patterns().short)


def day_of_year(when: date) -> str:
    """A day of a year that goes without saying: `27 November`."""
    return _day(when, _patterns().day.removesuffix(" y"))


def clock(when: datetime) -> str:
    """The time of day in its own zone: `17:00`."""
    return format_datetime(when, _patterns().time, locale=locale())


def moment(when: datetime, zone: str | ZoneInfo) -> str:
    """An aware moment in somebody's zone (IANA): `Friday 27 November 2026, 17:00 CET`."""
    local = when.astimezone(_zone(zone))
    return f"{weekday(local)}, {clock(local)} {zone_name(local)}"


def moment_short(when: datetime) -> str:
    """An aware moment in its own zone, in little space: `27 Nov 2026, 17:00 CET`."""
    return f"{day_short(when)}, {clock(when)} {zone_name(when)}"


def moment_plain(when: datetime) -> str:
    """An aware moment in its own zone without the name of the day: `27 November 2026, 17:00 CET`."""
    return f"{day(when)}, {clock(when)} {zone_name(when)}"


def stamp(when: datetime) -> str:
    """An aware moment in its own zone to the second: `27 Nov 2026, 17:00:05 CET`."""
    pattern = _patterns().time.replace("mm", "mm:ss")
    return f"{day_short(when)}, {format_datetime(when, pattern, locale=locale())} {zone_name(when)}"


def soon(when: datetime, at: datetime) -> str:
    """A moment for whoever reads it at `at`, both in their zone: `Thursday 26 November, 14:00`, the year if another."""
    pattern = _patterns().same_year if when.year == at.year else _patterns().weekday
    return f"{_day(when, pattern)}, {clock(when)}"


def deadline(when: datetime, zone: str | ZoneInfo) -> str:
    """A moment by which something is due; midnight, which belongs to two days, is the end of the first.

    `the end of Friday 27 November 2026`
    """
    local = when.astimezone(_zone(zone))
    if local.time() == time(0):
        return _("the end of %(day)s", day=weekday(local.date() - timedelta(days=1)))
    return moment(local, _zone(zone))


def relative(when: datetime, now: datetime) -> str:
    """How long ago or from now: `3 hours ago`, `in 2 days`. Whole units; under a minute it is `just now`."""
    seconds = (now - when).total_seconds()
    return _ago(int(seconds)) if seconds >= 0 else _ahead(int(-seconds))


def number(count: float) -> str:
    """A number: `1,234.5`."""
    return format_decimal(count, locale=locale())


def size(count: int) -> str:
    """A size given in bytes, in the largest unit of 1024 that it fills, to three digits: `1.5 MiB`, `16 KiB`."""
    value: float = count
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":  # noqa: PLR2004  (what the next unit is made of)
            break
        value /= 1024
    if unit == "bytes":
        return ngettext("%(number)s byte", "%(number)s bytes", count)
    return f"{number(float(f'{value:.3g}'))} {unit}"


def duration(minutes: int) -> str:
    """A time by the clock, given in minutes, in the largest unit that says it whole: `4 hours`, `90 minutes`."""
    if minutes and minutes % (24 * 60) == 0:
        return ngettext("%(number)s day", "%(number)s days", minutes // (24 * 60))
    if minutes and minutes % 60 == 0:
        return ngettext("%(number)s hour", "%(number)s hours", minutes // 60)
    return ngettext("%(number)s minute", "%(number)s minutes", minutes)


def zone_name(when: datetime) -> str:
    """The short name of a moment's zone, in the reader's language where it has one: CET, in German MEZ."""
    own = when.tzname() or ""
    if language() == SOURCE or not isinstance(when.tzinfo, ZoneInfo):
        return own
    theirs = get_timezone_name(when, width="short", locale=locale())
    return theirs if theirs.isalpha() else own


def _ago(seconds: int) -> str:
    if seconds < _MINUTE:
        return _("just now")
    if seconds < _HOUR:
        return ngettext("%(number)s minute ago", "%(number)s minutes ago", seconds // _MINUTE)
    if seconds < _DAY:
        return ngettext("%(number)s hour ago", "%(number)s hours ago", seconds // _HOUR)
    return ngettext("%(number)s day ago", "%(number)s days ago", seconds // _DAY)


def _ahead(seconds: int) -> str:
    if seconds < _MINUTE:
        return _("in a moment")
    if seconds < _HOUR:
        return ngettext("in %(number)s minute", "in %(number)s minutes", seconds // _MINUTE)
    if seconds < _DAY:
        return ngettext("in %(number)s hour", "in %(number)s hours", seconds // _HOUR)
    return ngettext("in %(number)s day", "in %(number)s days", seconds // _DAY)


def _day(when: date, pattern: str) -> str:
    names = _SHORT_NAMES.get(language(), locale()) if "MMM " in pattern else locale()
    return format_date(when, pattern, locale=names)


def _patterns() -> _Patterns:
    return _PATTERNS[language()]


def _zone(zone: str | ZoneInfo) -> ZoneInfo:
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)
