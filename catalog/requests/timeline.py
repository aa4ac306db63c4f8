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
from portal.core.language import N_, _, spoken
from portal.identity.model import Person

Tone = Literal["", "good", "bad", "wait"]

#: What each entry says on the page. Entries of approvals are told here by their tag, because that room stands above;
#: a tag that is not here is for machines and is left out.
WORDS: Mapping[str, tuple[str, Tone]] = {
    tags.SUBMITTED: (N_("Submitted"), ""),
    tags.PREPARED: (N_("Prepared: the target was read and the risk weighed"), ""),
    tags.EDITED: (N_("Answers changed; every approval so far is void"), "wait"),
    tags.REFUSED: (N_("Refused by the portal"), "bad"),
    tags.WITHDRAWN: (N_("Withdrawn"), ""),
    tags.STOPPED: (N_("Stopped: what was approved no longer fits"), "wait"),
    tags.SEAL_MISMATCH: (N_("The seal did not match; nothing was carried out"), "bad"),
    tags.FULFILMENT_STARTED: (N_("Fulfilment started"), ""),
    tags.STEP_HANDED_OVER: (N_("Handed to people, who carry it out by hand"), "wait"),
    tags.STEP_APPLIED: (N_("Carried out on the target"), ""),
    tags.STEP_READ_BACK: (N_("Read back from the target"), "good"),
    tags.STEP_FAILED: (N_("A step was not possible"), "bad"),
    tags.STEP_REVERTED: (N_("A step was undone"), "wait"),
    tags.STEP_NOT_REVERTED: (N_("A step could not be undone"), "bad"),
    tags.UNDO_ASKED: (N_("An operator had what was done undone"), "wait"),
    tags.BY_HAND_CLAIMED: (
        N_("An operator says that a step was done by hand; a second one must confirm"),
        "wait",
    ),
    tags.BY_HAND_CONFIRMED: (N_("A second operator confirmed it"), "good"),
    tags.BY_HAND_DECLINED: (N_("A second operator did not confirm it"), "bad"),
    tags.FULFILLED: (N_("Fulfilled"), "good"),
    tags.FAILED: (N_("Failed; the operators were told"), "bad"),
    tags.RETRIED: (N_("Tried again"), ""),
    tags.PROMISE_MISSED: (N_("The promised date passed; the owners of the service were told"), "bad"),
    tags.SET_ASIDE: (N_("Set aside for the operators"), "bad"),
    tags.ENTITLEMENT_GRANTED: (N_("In place from now on"), "good"),
    tags.ENTITLEMENT_GIVEN_BACK: (N_("Given back"), ""),
    tags.ENTITLEMENT_END_ORDERED: (N_("Ended early by somebody who answers for it"), "wait"),
    tags.ENTITLEMENT_EXTENDED: (N_("Extended: it ends later"), "good"),
    tags.ENTITLEMENT_REPLACED: (N_("Replaced: it ends sooner"), "wait"),
    tags.ENTITLEMENT_REVIEW_MOVED: (N_("An access review moved its end"), "wait"),
    tags.ENTITLEMENT_REVIEW_ENDED: (N_("Not needed any more, as an access review found"), "wait"),
    tags.EXTENSION_UNDONE: (N_("The extension was undone: it ends as before"), "wait"),
    tags.RECERTIFICATION_ASKED: (N_("Holder and owner are asked whether it is still needed"), "wait"),
    tags.RECERTIFICATION_REMINDED: (N_("Reminded: is it still needed?"), "wait"),
    tags.RECERTIFICATION_ANSWERED: (N_("Said whether it is still needed"), ""),
    tags.RECERTIFICATION_KEPT: (N_("Still needed: it stays"), "good"),
    tags.RECERTIFICATION_REVOKED: (
        N_("Not needed any more, or nobody vouched for it: it is taken away"),
        "wait",
    ),
    tags.RECERTIFICATION_VOIDED: (N_("It ended before the question was answered"), ""),
    tags.ENTITLEMENT_ENDED: (N_("Taken away"), ""),
    tags.ENDED: (N_("Ended"), ""),
    "request:sealed": (N_("Sealed"), ""),
    "stage:opened": (N_("Approvers asked"), "wait"),
    "stage:reminded": (N_("Approvers reminded"), "wait"),
    "stage:escalated": (N_("Passed on, because nobody had decided in time"), "wait"),
    "stage:cancelled": (N_("Closed, because nobody had decided in time"), "bad"),
    "stage:expired": (N_("Expired: nobody had decided in time"), "bad"),
    "request:nudged": (N_("The requester asked the approvers to look"), "wait"),
    "stage:carried": (N_("Agreed before the target changed; only the last stage is asked again"), "wait"),
    "stage:approved": (N_("Stage approved"), "good"),
    "stage:rejected": (N_("Stage rejected"), "bad"),
    "approval:approved": (N_("Approved"), "good"),
    "approval:denied": (N_("Denied"), "bad"),
    "approval:voided": (N_("An approval became void"), "wait"),
    "question:asked": (N_("Asked the requester; the clock stands still"), "wait"),
    "question:answered": (N_("Answered; the clock runs again"), ""),
    "proposal:made": (N_("Proposed less; the clock stands still"), "wait"),
    "proposal:accepted": (N_("Accepted the proposal"), "good"),
    "proposal:declined": (N_("Declined the proposal"), ""),
    "stage:reassigned": (N_("Left the decision to somebody else"), ""),
    "request:approved-by-policy": (N_("Approved by the published service itself"), "good"),
    "standing:used": (N_("Approved in advance by a standing approval"), "good"),
    "glass:proposed": (N_("Somebody wants to break the glass; a second person must agree"), "wait"),
    "glass:broken": (N_("The glass was broken: carried past its approvers"), "bad"),
    "review:opened": (N_("Those who were passed over were told, and review it"), "wait"),
    "review:found-right": (N_("Reviewed afterwards: it was right"), "good"),
    "review:found-wrong": (N_("Reviewed afterwards: it was not right"), "bad"),
    "review:passed": (N_("The review found it right"), "good"),
    "review:lapsed": (N_("Nobody reviewed it in time, so it is undone"), "bad"),
    "review:voided": (N_("Nothing is left to review"), ""),
    "review:undone": (N_("Undone: nothing of it is in place any more"), "wait"),
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
            what=_(WORDS[entry.tag][0]),
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
            return str(spoken(personal[field]))
    return steps.get(json.loads(entry.body)["facts"].get("step", 0), "")
