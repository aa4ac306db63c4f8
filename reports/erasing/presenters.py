"""The page of erasures and holds: what is kept for how long, what is on hold, and what went. Nobody erased is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core.language import N_, _, ngettext
from portal.core.retention import Retention
from portal.core.times import number
from portal.identity.actor import Actor
from portal.identity.erased import name_of_erased
from portal.identity.model import Person, Unit
from reports.erasing import tags
from reports.erasing.holds import held
from reports.erasing.model import HoldKind, LegalHold
from reports.erasing.retire import due

CLASSES = {
    "requests": N_("Records of requests, after they closed and nothing of them is live"),
    "drafts": N_("Drafts, after the last change"),
    "mail": N_("Mails, after they were sent"),
    "sessions": N_("Sessions of browsers, after their end"),
    "absences": N_("Absences, after their last day"),
    "evidence": N_("Evidence files, after they were made; they are made anew when somebody asks"),
}
#: So many of the last erasures are shown; the ledger has all.
MOST = 25


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of records."""

    what: str
    days: str
    going: str
    held: str


@dataclass(frozen=True, slots=True)
class HoldCard:
    """One hold in force."""

    id: int
    on: str
    reason: str
    placed_by: str
    placed_at: datetime
    may_lift: bool


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """One erasure, without the person."""

    entry: int
    at: datetime
    what: str
    count: str


@dataclass(frozen=True, slots=True)
class ErasingPage:
    """Everything that the template shows."""

    classes: tuple[ClassLine, ...]
    holds: tuple[HoldCard, ...]
    erasures: tuple[ErasureLine, ...]


def erasing_page(session: Session, actor: Actor, kept: Retention) -> ErasingPage:
    """A few statements, however much there is."""
    zone = ZoneInfo(actor.timezone)
    placer, person = aliased(Person), aliased(Person)
    rows = session.execute(
        select(
            LegalHold,
            placer.name.label("placer"),
            person.name.label("person"),
            Request.reference,
            Unit.name.label("unit"),
        )
        .join(placer, placer.id == LegalHold.placed_by_id)
        .outerjoin(person, person.id == LegalHold.person_id)
        .outerjoin(Request, Request.id == LegalHold.request_id)
        .outerjoin(Unit, Unit.id == LegalHold.unit_id)
        .where(LegalHold.lifted_at.is_(None))
        .order_by(LegalHold.id)
    ).all()
    lines = due(session, kept, held(session, [row.LegalHold for row in rows]))
    return ErasingPage(
        classes=tuple(
            ClassLine(
                _(CLASSES[line.name]),
                ngettext("%(number)s day", "%(number)s days", line.days),
                number(line.going),
                number(line.held),
            )
            for line in lines
        ),
        holds=tuple(
            HoldCard(
                id=row.LegalHold.id,
                on=_on(row),
                reason=row.LegalHold.reason,
                placed_by=row.placer,
                placed_at=row.LegalHold.placed_at.astimezone(zone),
                may_lift=row.LegalHold.placed_by_id != actor.person_id,
            )
            for row in rows
        ),
        erasures=tuple(_erasures(session, zone)),
    )


def _on(row: object) -> str:
    hold: LegalHold = row.LegalHold  # type: ignore[attr-defined]
    match hold.kind:
        case HoldKind.PERSON:
            return _("%(name)s and the requests by or for them", name=row.person)  # type: ignore[attr-defined]
        case HoldKind.REQUEST:
            return str(row.reference)  # type: ignore[attr-defined]
        case HoldKind.UNIT:
            return _("%(unit)s and what is below it", unit=row.unit)  # type: ignore[attr-defined]
        case HoldKind.PERIOD:
            return _(
                "Requests submitted from %(first)s to %(last)s",
                first=f"{hold.first_day:%Y-%m-%d}",
                last=f"{hold.last_day:%Y-%m-%d}",
            )


def _erasures(session: Session, zone: ZoneInfo) -> list[ErasureLine]:
    wanted = (tags.PERSON_ERASED, tags.RECORD_ERASED, tags.RETENTION_ERASED)
    entries = session.execute(
        select(Entry.number, Entry.at, Entry.tag, Entry.subject, Entry.body)
        .where(Entry.tag.in_(wanted))
        .order_by(Entry.number.desc())
        .limit(MOST)
    )
    lines = []
    for entry in entries:
        facts = json.loads(entry.body)["facts"]
        if entry.tag == tags.PERSON_ERASED:
            what = name_of_erased(int(entry.subject.rpartition(":")[2]))
        elif entry.tag == tags.RECORD_ERASED:
            what = _("The record of %(reference)s", reference=entry.subject.removeprefix("request:"))
        else:
            what = _(CLASSES.get(facts["class"], facts["class"]))
        count = facts.get("records") or sum(facts.get("rows", {}).values())
        lines.append(
            ErasureLine(
                entry.number,
                entry.at.astimezone(zone),
                what,
                ngettext("%(number)s row", "%(number)s rows", count),
            )
        )
    return lines
