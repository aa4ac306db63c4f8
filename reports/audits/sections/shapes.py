"""What every section of the report shows: a claim, figures, tables, and what was not looked at.

A section's facts are a `Part` in audit.json; what it shows follows from those facts alone, so that a verifier can
write the same pages again. A section is `Facts` and `gather(session, scope)` in a module of its
name, and `show(audit, facts)` there or, where that is long, in `<name>_shown`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from portal.core import times
from portal.core.language import _
from reports.audits.document import Audit
from reports.charts.chart import Chart
from reports.charts.words import percent

Tone = Literal["good", "bad", "wait"]
#: Stands in a table where there is nothing.
NONE = "\u2014"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `width` is in millimetres, 0 for what is left; figures stand at the right edge."""

    label: str
    width: int = 0
    figure: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words under a caption; `empty` is said where there are none. The first cell names its row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that did not go as it should. `about` is a reference, or what else it is about."""

    about: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as its pages show it. `figures` are numbers with their names, `checked` tells how it was looked at."""

    title: str
    claim: str
    tone: Tone
    checked: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    not_looked_at: tuple[str, ...]
    deviations: tuple[Deviation, ...] = ()
    #: Keys of charts whose numbers stand in the section's tables; the others bring their own.
    in_tables: frozenset[str] = frozenset()


def tone_of(deviations: Sequence[Deviation], looked_at: int) -> Tone:
    """Bad with a deviation, good without one, neither where there was nothing to look at."""
    if deviations:
        return "bad"
    return "good" if looked_at else "wait"


def moment(at: datetime | None) -> str | None:
    """A time as the facts have it (UTC, ISO 8601)."""
    return at.astimezone(UTC).isoformat() if at else None


def person(number: int | None) -> str | None:
    """A person as the facts have them."""
    return None if number is None else f"person:{number}"


def named(audit: Audit, ref: str | None) -> str:
    """The name behind `person:<number>`; the portal's own where nobody acted."""
    if ref is None:
        return "Countersign"
    known = audit.people.get(ref)
    return known.name if known else ref


def called(names: Mapping[str, str], slug: str) -> str:
    """The name of a unit or an offering; its slug where it has none."""
    return names.get(slug, slug)


def on_day(at: str | None) -> str:
    """The day of a time of the facts (UTC); a dash for none."""
    return times.day_short(datetime.fromisoformat(at)) if at else NONE


def at_time(at: str | None) -> str:
    """A time of the facts to the minute (UTC, as the foot of every page says); a dash for none."""
    if at is None:
        return NONE
    when = datetime.fromisoformat(at).astimezone(UTC)
    return f"{times.day_short(when)}, {times.clock(when)}"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent, to one digit; a dash where there is no whole."""
    return percent(part / whole) if whole else NONE


def working(minutes: int | None) -> str:
    """Working time given in minutes: 3 h 20 min; a dash for none."""
    if minutes is None:
        return NONE
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min", minutes=rest)
    return _("%(hours)s h %(minutes)s min", hours=times.number(hours), minutes=rest)


def rank(ordered: Sequence[int], per_cent: int) -> int | None:
    """The value that so many per cent do not exceed, by nearest rank: always one that occurred. Sorted input."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * per_cent // 100) - 1)]
