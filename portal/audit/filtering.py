"""What is looked for in the ledger, as a condition on its entries that indexes answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, String, and_, cast, literal, select
from sqlalchemy.orm import Session

from portal.audit.model import Entry
from portal.audit.seeing import Subjects, visible
from portal.audit.words import tags_of
from portal.identity.actor import Actor
from portal.identity.model import Person

REFERENCE = re.compile(r"SR-\d{1,9}", re.IGNORECASE)
_DIGITS = 6
#: Clocks of several machines differ, and may be set back; entries of a day are looked for this far around it.
SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked for; empty texts and None are anything. `part` says whether the person did it or it is about them."""

    subject: str = ""
    person: str = ""
    part: str = "did"
    what: str = ""
    first_day: date | None = None
    last_day: date | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.subject or self.person or self.what or self.first_day or self.last_day)

    def to_json(self) -> dict[str, str]:
        """What was looked for, as the entry of an export says it; without what may be a name."""
        said = {
            "subject": reference_of(self.subject) or (self.subject if ":" in self.subject else ""),
            "tag": self.what,
            "first_day": self.first_day.isoformat() if self.first_day else "",
            "last_day": self.last_day.isoformat() if self.last_day else "",
        }
        return {name: value for name, value in said.items() if value}


def reference_of(typed: str) -> str:
    """SR-000012 for sr-12; an empty text where no request is meant."""
    text = typed.strip().removeprefix("request:")
    if not REFERENCE.fullmatch(text):
        return ""
    return f"SR-{int(text[3:]):0{_DIGITS}d}"


def person_meant(typed: str) -> ColumnElement[str] | str:
    """How entries name the person whose user name, name, address or number this is; null in SQL for nobody."""
    text = typed.strip()
    numbered = text.removeprefix("person:")
    if numbered.isascii() and numbered.isdecimal():
        return f"person:{numbered}"
    return (
        select(literal("person:") + cast(Person.id, String))
        .where((Person.user_name == text) | (Person.email == text) | (Person.name == text))
        .order_by(Person.id)
        .limit(1)
        .scalar_subquery()
    )


def condition(
    session: Session, actor: Actor, looked: Looked, *, subjects: Subjects, zone: ZoneInfo
) -> ColumnElement[bool]:
    """That an entry is one of those looked for, and the actor may see it. Two statements at most."""
    parts = [visible(actor, subjects)]
    if looked.subject:
        reference = reference_of(looked.subject)
        named = subjects.belonging_to(session, actor, reference) if reference else (looked.subject.strip(),)
        parts.append(Entry.subject.in_(named))
    if looked.person:
        person = person_meant(looked.person)
        parts.append((Entry.subject if looked.part == "about" else Entry.actor) == person)
    if looked.what:
        tags = tags_of(looked.what)
        parts.append(Entry.tag.in_(tags) if len(tags) > 1 else Entry.tag == tags[0])
    parts += _of_days(session, looked, zone)
    return and_(*parts)


def _of_days(session: Session, looked: Looked, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    """The moments exactly, and beside them numbers between which they must lie, so that no more is read."""
    begins = _midnight(looked.first_day, zone) if looked.first_day else None
    ends = _midnight(looked.last_day + timedelta(days=1), zone) if looked.last_day else None
    if begins is None and ends is None:
        return []
    below: Select[Any] | None = None
    above: Select[Any] | None = None
    exact: list[ColumnElement[bool]] = []
    if begins is not None:
        exact.append(Entry.at >= begins)
        below = select(Entry.number).where(Entry.at < begins - SLACK).order_by(Entry.at.desc()).limit(1)
    if ends is not None:
        exact.append(Entry.at < ends)
        above = select(Entry.number).where(Entry.at >= ends + SLACK).order_by(Entry.at).limit(1)
    nothing = select(literal(None))
    first, last = session.execute(
        select(
            (below if below is not None else nothing).scalar_subquery(),
            (above if above is not None else nothing).scalar_subquery(),
        )
    ).one()
    if first is not None:
        exact.append(Entry.number > first)
    if last is not None:
        exact.append(Entry.number < last)
    return exact


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
