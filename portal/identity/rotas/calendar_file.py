"""iCalendar files (RFC 5545) as far as rotas need them: events with a start, an end, people, and how they repeat."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr

#: RFC 5545 §3.1: name, parameters, value.
_LINE = re.compile(
    r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)'
)
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)')
_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?")
_ESCAPED = {"\\n": " ", "\\N": " ", "\\,": ",", "\\;": ";", "\\\\": "\\"}
#: One event may not make more shifts than this.
MOST_TIMES = 5000


class NotACalendar(Exception):
    """The file is no iCalendar that is taken; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Happening:
    """One time that an event takes place (UTC), who is named in it, and its line in the file."""

    starts_at: datetime
    ends_at: datetime
    summary: str
    #: Mail addresses of its attendees, in small letters.
    attendees: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: Mapping[str, str]
    value: str
    line: int


@dataclass(slots=True)
class _Event:
    line: int
    properties: dict[str, list[_Property]] = field(default_factory=lambda: defaultdict(list))

    def first(self, name: str) -> _Property | None:
        found = self.properties.get(name)
        return found[0] if found else None

    def text(self, name: str) -> str:
        found = self.first(name)
        return re.sub(r"\\[nN,;\\]", lambda match: _ESCAPED[match[0]], found.value).strip() if found else ""


def read_calendar(text: str, *, until: datetime, zone: str = "UTC") -> tuple[str, tuple[Happening, ...]]:
    """The calendar's name and everything that happens in it and begins before `until` (UTC), in order.

    Times without a zone are read in the calendar's own (`X-WR-TIMEZONE`), else in `zone`. Raises NotACalendar.
    """
    name, events = "", list[_Event]()
    event: _Event | None = None
    nested = 0
    for one in _properties(text):
        if one.name == "BEGIN" and one.value.upper() == "VEVENT":
            event, nested = _Event(one.line), 0
        elif event is not None and one.name == "BEGIN":
            nested += 1  # an alarm inside the event
        elif event is not None and one.name == "END" and nested:
            nested -= 1
        elif event is not None and one.name == "END":
            events.append(event)
            event = None
        elif event is not None and not nested:
            event.properties[one.name].append(one)
        elif one.name == "X-WR-CALNAME":
            name = one.value.strip()
        elif one.name == "X-WR-TIMEZONE":
            zone = one.value.strip()
    return name, tuple(sorted(_happenings(events, until, zone), key=lambda one: (one.starts_at, one.line)))


def _properties(text: str) -> Iterator[_Property]:
    """Content lines, unfolded (§3.1)."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if line[:1] in {" ", "\t"} and lines:
            lines[-1] = (lines[-1][0], lines[-1][1] + line[1:])
        elif line.strip():
            lines.append((number, line))
    if not lines or lines[0][1].strip().upper() != "BEGIN:VCALENDAR":
        raise NotACalendar(1, "a calendar begins with BEGIN:VCALENDAR")
    for number, line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise NotACalendar(
                number, "this is no line of a calendar: a name, a colon and a value are needed"
            )
        parameters = {key.upper(): value.strip('"') for key, value in _PARAMETER.findall(match[2])}
        yield _Property(match[1].upper(), parameters, match[3], number)


def _happenings(events: list[_Event], until: datetime, zone: str) -> Iterator[Happening]:
    # An event with RECURRENCE-ID stands in for one time of the event that repeats (§3.8.4.4).
    instead: dict[str, set[datetime]] = defaultdict(set)
    for event in events:
        moved = event.first("RECURRENCE-ID")
        if moved is not None:
            instead[event.text("UID")].add(_moment(moved, zone))
    for event in events:
        if event.text("STATUS").upper() == "CANCELLED":
            continue
        start = event.first("DTSTART")
        if start is None:
            raise NotACalendar(event.line, "this event has no start (DTSTART)")
        begins = _moment(start, zone)
        length = _length(event, start, begins, zone)
        if length <= timedelta(0):
            raise NotACalendar(event.line, "this event ends before it begins")
        skipped = {_moment(part, zone) for part in _excluded(event)}
        if event.first("RECURRENCE-ID") is None:
            skipped |= instead[event.text("UID")]
        attendees = tuple(
            one.value.partition(":")[2].strip().lower()
            for one in event.properties.get("ATTENDEE", ())
            if one.value.lower().startswith("mailto:")
        )
        for at in _times(event, start, begins, until, zone):
            if at not in skipped:
                yield Happening(at, at + length, event.text("SUMMARY"), attendees, event.line)


def _times(
    event: _Event, start: _Property, begins: datetime, until: datetime, zone: str
) -> Iterator[datetime]:
    rule = event.first("RRULE")
    if rule is None:
        if begins < until:
            yield begins
        return
    # Repeated by the clock on the wall, so that duty changes hands at eight in summer and in winter (§3.3.10).
    local = _zone(start, zone)
    wall = begins.astimezone(local).replace(tzinfo=None)
    text = re.sub(
        r"(UNTIL=)(\d{8})(T\d{6})?(Z?)",
        lambda match: match[1] + _until_wall(match, local),
        rule.value,
    )
    try:
        # Faster than a second no duty changes hands; such a rule would make millions of shifts.
        if re.search(r"FREQ=(SECONDLY|MINUTELY)", text):
            raise NotACalendar(rule.line, "duty changes hands by the hour at most")
        for count, at in enumerate(rrulestr(text, dtstart=wall)):
            moment = at.replace(tzinfo=local).astimezone(UTC)
            if moment >= until:
                return
            if count >= MOST_TIMES:
                raise NotACalendar(rule.line, f"this event happens more than {MOST_TIMES} times")
            yield moment
    except (ValueError, KeyError, TypeError) as error:
        raise NotACalendar(rule.line, f"this is no rule of repetition: {error}") from error


def _until_wall(match: re.Match[str], local: ZoneInfo) -> str:
    if not match[3]:
        return f"{match[2]}T235959"
    moment = datetime.strptime(match[2] + match[3], "%Y%m%dT%H%M%S")  # noqa: DTZ007  (its zone comes next)
    if match[4]:
        moment = moment.replace(tzinfo=UTC).astimezone(local)
    return moment.strftime("%Y%m%dT%H%M%S")


def _excluded(event: _Event) -> Iterator[_Property]:
    for one in event.properties.get("EXDATE", ()):
        for value in one.value.split(","):
            yield _Property(one.name, one.parameters, value, one.line)


def _length(event: _Event, start: _Property, begins: datetime, zone: str) -> timedelta:
    end, lasts = event.first("DTEND"), event.first("DURATION")
    if end is not None:
        return _moment(end, zone) - begins
    if lasts is not None:
        match = _DURATION.fullmatch(lasts.value.strip())
        if match is None:
            raise NotACalendar(lasts.line, "this is no duration such as PT8H or P7D")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if len(start.value) == len("20270104"):
        return timedelta(days=1)
    raise NotACalendar(event.line, "this event has no end (DTEND or DURATION)")


def _moment(one: _Property, zone: str) -> datetime:
    value = one.value.strip()
    try:
        if value.endswith("Z"):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if "T" in value:
            local = datetime.strptime(value, "%Y%m%dT%H%M%S")  # noqa: DTZ007  (its zone comes next)
        else:
            local = datetime.combine(date.fromisoformat(value), time(0))
    except ValueError as error:
        raise NotACalendar(one.line, "this is no moment such as 20270104T080000") from error
    return local.replace(tzinfo=_zone(one, zone)).astimezone(UTC)


def _zone(one: _Property, zone: str) -> ZoneInfo:
    name = one.parameters.get("TZID", "UTC" if one.value.endswith("Z") else zone)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NotACalendar(
            one.line, f"there is no time zone {name!r}; use one such as Europe/Berlin"
        ) from error
