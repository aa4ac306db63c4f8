"""The timeline: what happened to a request, told from the ledger in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from catalog.requests import tags
from portal.audit.model import Entry, PersonalValue
from portal.identity.model import Person

Tone = Literal["", "good", "bad", "wait"]

#: What each entry says on the page. Entries of approvals are told here by their tag, because that room stands above;
#: a tag that is not here is for machines and is left out.
WORDS: Mapping[str, tuple[str, Tone]] = {
    tags.SUBMITTED: ("Submitted", ""),
    tags.PREPARED: ("Prepared: the target was read and the risk weighed", ""),
    tags.EDITED: ("Answers changed; every approval so far is void", "wait"),
    tags.REFUSED: ("Refused by the portal", "bad"),
    tags.WITHDRAWN: ("Withdrawn", ""),
    tags.STOPPED: ("Stopped: what was approved no longer fits", "wait"),
    tags.SEAL_MISMATCH: ("The seal did not match; nothing was carried out", "bad"),
    tags.FULFILMENT_STARTED: ("Fulfilment started", ""),
    tags.STEP_HANDED_OVER: ("Handed to people, who carry it out by hand", "wait"),
    tags.STEP_APPLIED: ("Carried out on the target", ""),
    tags.STEP_READ_BACK: ("Read back from the target", "good"),
    tags.STEP_FAILED: ("A step was not possible", "bad"),
    tags.STEP_REVERTED: ("A step was undone", "wait"),
    tags.STEP_NOT_REVERTED: ("A step could not be undone", "bad"),
    tags.FULFILLED: ("Fulfilled", "good"),
    tags.FAILED: ("Failed; the operators were told", "bad"),
    tags.RETRIED: ("Tried again", ""),
    tags.PROMISE_MISSED: ("The promised date passed; the owners of the service were told", "bad"),
    tags.SET_ASIDE: ("Set aside for the operators", "bad"),
    tags.ENTITLEMENT_GRANTED: ("In place from now on", "good"),
    tags.ENTITLEMENT_GIVEN_BACK: ("Given back", ""),
    tags.ENTITLEMENT_ENDED: ("Taken away", ""),
    tags.ENDED: ("Ended", ""),
    "request:sealed": ("Sealed", ""),
    "stage:opened": ("Approvers asked", "wait"),
    "stage:approved": ("Stage approved", "good"),
    "stage:rejected": ("Stage rejected", "bad"),
    "approval:approved": ("Approved", "good"),
    "approval:denied": ("Denied", "bad"),
    "approval:voided": ("An approval became void", "wait"),
    "request:approved-by-policy": ("Approved by the published service itself", "good"),
}
#: Personal values that tell why or what in a person's or a target's words, in the order of preference.
_TEXTS = ("why", "reason", "comment")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `when` is in the reader's zone; `who` is a name or the portal."""

    when: datetime
    what: str
    who: str
    text: str
    tone: Tone

    def as_row(self) -> tuple[datetime, str, str, str, Tone]:
        """As the timeline macro takes it."""
        return (self.when, self.what, self.who, self.text, self.tone)


def timeline_of(
    session: Session, reference: str, *, timezone: str, steps: Mapping[int, str]
) -> tuple[Event, ...]:
    """The request's events, the first one first, in two statements. `steps` are the steps' names by position."""
    statement = (
        select(Entry, PersonalValue)
        .outerjoin(
            PersonalValue,
            and_(PersonalValue.entry_number == Entry.number, PersonalValue.field.in_(_TEXTS)),
        )
        .where(Entry.subject == f"request:{reference}", Entry.tag.in_(WORDS))
        .order_by(Entry.number)
    )
    texts: dict[int, dict[str, str]] = {}
    entries: dict[int, Entry] = {}
    for entry, personal in session.execute(statement):
        entries[entry.number] = entry
        if personal is not None:
            texts.setdefault(entry.number, {})[personal.field] = personal.value
    names = _names(session, list(entries.values()))
    zone = ZoneInfo(timezone)
    return tuple(
        Event(
            when=entry.at.astimezone(zone),
            what=WORDS[entry.tag][0],
            who=names.get(entry.actor, ""),
            text=_text(entry, texts.get(number, {}), steps),
            tone=WORDS[entry.tag][1],
        )
        for number, entry in entries.items()
    )


def _names(session: Session, entries: Sequence[Entry]) -> dict[str, str]:
    ids = {int(entry.actor.removeprefix("person:")) for entry in entries if entry.actor.startswith("person:")}
    if not ids:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {f"person:{person_id}": name for person_id, name in rows}


def _text(entry: Entry, personal: Mapping[str, str], steps: Mapping[int, str]) -> str:
    for field in _TEXTS:
        if personal.get(field) and not (entry.tag == tags.SUBMITTED and field == "reason"):
            return personal[field]
    return steps.get(json.loads(entry.body)["facts"].get("step", 0), "")
