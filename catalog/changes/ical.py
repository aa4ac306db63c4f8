"""iCalendar (RFC 5545): text that calendar programs subscribe to. Times are UTC, so no time zone needs explaining."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

#: Octets of a line without its break (RFC 5545 §3.1).
_LONGEST_LINE = 75
_HIDDEN = frozenset(chr(code) for code in (*range(32), 127)) - {"\n"}

Status = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `uid` is the same for ever, `sequence` grows with each change of it; moments are aware."""

    uid: str
    summary: str
    begins: datetime
    ends: datetime
    changed_at: datetime
    sequence: int
    status: Status
    description: str = ""
    location: str = ""
    url: str = ""
    #: Whether it takes up its reader's time; a freeze and another's change do not.
    busy: bool = False


def calendar_text(name: str, events: Iterable[Event]) -> str:
    """A whole calendar object, with CRLF and folded lines."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Countersign//Change calendar//EN",
        "CALSCALE:GREGORIAN",
        # RFC 7986 §5.1 and §5.7, and what programs read that do not know it.
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        *(line for event in events for line in _event(event)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(event: Event) -> Sequence[str]:
    more = {
        "DESCRIPTION": _text(event.description),
        "LOCATION": _text(event.location),
        "URL": event.url,
    }
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{_moment(event.changed_at)}",
        f"LAST-MODIFIED:{_moment(event.changed_at)}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTART:{_moment(event.begins)}",
        f"DTEND:{_moment(event.ends)}",
        f"SUMMARY:{_text(event.summary)}",
        f"STATUS:{event.status}",
        f"TRANSP:{'OPAQUE' if event.busy else 'TRANSPARENT'}",
        *(f"{name}:{value}" for name, value in more.items() if value),
        "END:VEVENT",
    ]


def _text(value: str) -> str:
    """A TEXT value (§3.3.11): what has a meaning is escaped, control characters are left out."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = "".join(sign for sign in value if sign not in _HIDDEN)
    for sign in ("\\", ";", ","):
        value = value.replace(sign, f"\\{sign}")
    return value.replace("\n", "\\n")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterable[str]:
    """The line in pieces of at most 75 octets, the later ones with a space before; no character is cut in two."""
    piece, length = "", 0
    for sign in line:
        octets = len(sign.encode())
        if length + octets > _LONGEST_LINE:
            yield piece
            piece, length = " ", 1
        piece += sign
        length += octets
    yield piece
