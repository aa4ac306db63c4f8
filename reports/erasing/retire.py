"""Retention: what is over its time goes, in parts, each part with an entry of its own that tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.attachments.store import Store
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.requests.model import Draft, Request
from catalog.requests.moves import get_locked
from catalog.requests.states import CLOSED, State
from portal.audit import record
from portal.audit.model import Entry, PersonalValue
from portal.core.clock import now
from portal.core.database import Base, Database
from portal.core.keyed import keyed
from portal.core.retention import Retention
from portal.identity.actor import PORTAL
from portal.identity.model import Absence, WebSession
from portal.jobs import Job
from portal.notifications.model import Message
from reports.erasing import tags
from reports.erasing.holds import Held, held
from reports.erasing.record_places import RECORD
from reports.evidence.kept import path_of
from reports.evidence.model import EvidenceFile

RETIRE = "retire"
#: Rows of one class that go in one transaction.
PART = 500


@dataclass(frozen=True, slots=True)
class Due:
    """How many of a class are over their time now, and how many of them a hold keeps."""

    name: str
    days: int
    going: int
    held: int


@dataclass(slots=True)
class Gone:
    """What a transaction took out, and the files that are to be removed once it is committed."""

    counts: Counter[str] = field(default_factory=Counter)
    evidence: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)


def due(session: Session, kept: Retention, covered: Held | None = None) -> list[Due]:
    """What the next round would take, by class, in one statement. Changes nothing."""
    covered = held(session) if covered is None else covered
    counts: list[ColumnElement[int]] = []
    for name, days in kept.days().items():
        model, over, on_hold = _class(covered, name, now(session) - timedelta(days=days))
        count = select(func.count()).select_from(model).where(over)
        counts += [count.scalar_subquery(), count.where(~on_hold).scalar_subquery()]
    numbers = list(session.execute(select(*counts)).one())
    return [
        Due(name, days, numbers[2 * place + 1], numbers[2 * place] - numbers[2 * place + 1])
        for place, (name, days) in enumerate(kept.days().items())
    ]


def retire(db: Database, kept: Retention, *, evidence: Path, store: Store) -> Mapping[str, int]:
    """Take out all that is over its time and on no hold; how many of each class. Safe to stop and run again at any point."""
    counts: Counter[str] = Counter()
    for name, days in kept.days().items():
        for gone in _records(db, days) if name == "requests" else _parts(db, name, days):
            _remove(db, gone, evidence=evidence, store=store)
            counts.update(gone.counts)
    return dict(counts)


def retire_nightly(job: Job, *, store: Store) -> None:
    """The task of every night."""
    retire(job.db, job.settings.retention, evidence=job.settings.home / "evidence", store=store)


def erase_record(session: Session, request: Request, *, why: Mapping[str, int | str]) -> Gone:
    """Take out what the request's record holds; what stays says who did what kind of thing, by number.

    The caller holds the request's row. `why` is told in the entry.
    """
    gone = Gone()
    gone.evidence += session.scalars(
        select(EvidenceFile.digest).where(EvidenceFile.request_id == request.id).order_by(EvidenceFile.id)
    )
    gone.contents += session.scalars(
        select(Attachment.digest).where(Attachment.request_id == request.id).order_by(Attachment.id)
    )
    rows: Counter[str] = Counter()
    reference = request.reference
    for place in RECORD:
        condition = place.rows(request)
        number = session.scalar(select(func.count()).select_from(place.model).where(condition)) or 0
        if not number:
            continue
        rows[str(place.model.__tablename__)] += number
        statement = (
            update(place.model).where(condition).values(**place.columns)
            if place.columns
            else delete(place.model).where(condition)
        )
        session.execute(statement, execution_options={"synchronize_session": False})
    rows["personal_value"] = _forget(session, Entry.subject == f"request:{reference}")
    session.expire_all()
    record(
        session,
        tags.RECORD_ERASED,
        subject=f"request:{reference}",
        actor=PORTAL,
        facts={"rows": dict(sorted(rows.items())), **why},
    )
    session.flush()
    gone.counts["requests"] += 1
    return gone


def _records(db: Database, days: int) -> Iterator[Gone]:
    """One request, one transaction: its rows are many, and its entry is its own."""
    while True:
        with db.reading() as session:
            before = now(session) - timedelta(days=days)
            _model, over, on_hold = _class(held(session), "requests", before)
            ids = session.scalars(
                select(Request.id).where(over, ~on_hold).order_by(Request.id).limit(PART)
            ).all()
        for request_id in ids:
            with db.transaction() as session:
                request = get_locked(session, request_id)
                # Looked at again under the lock: a hold may have been placed, or another round been here, meanwhile.
                _model, over, on_hold = _class(held(session), "requests", before)
                still = session.scalar(select(Request.id).where(Request.id == request_id, over, ~on_hold))
                gone = (
                    erase_record(session, request, why={"because": "retention", "days": days})
                    if still
                    else None
                )
            if gone:
                yield gone
        if len(ids) < PART:
            return


def _parts(db: Database, name: str, days: int) -> Iterator[Gone]:
    while True:
        with db.transaction() as session:
            gone = _part(session, name, now(session) - timedelta(days=days), days)
        if not gone.counts:
            return
        yield gone


def _part(session: Session, name: str, before: datetime, days: int) -> Gone:
    model, over, on_hold = _class(held(session), name, before)
    keys = list(model.__table__.primary_key)
    chosen = [
        tuple(row) for row in session.execute(select(*keys).where(over, ~on_hold).order_by(*keys).limit(PART))
    ]
    if not chosen:
        return Gone()
    gone = Gone()
    gone.counts[name] = len(chosen)
    if model is EvidenceFile:
        ids = [key[0] for key in chosen]
        gone.evidence += session.scalars(select(EvidenceFile.digest).where(EvidenceFile.id.in_(ids)))
    facts: dict[str, int | str] = {"class": name, "days": days, "records": len(chosen)}
    if model is Absence:
        about = Entry.tag.in_(["absence:added", "absence:removed"]) & (Entry.at < before)
        facts["personal_values"] = _forget(session, about & _of(session, chosen))
    session.execute(
        delete(model).where(keyed(keys, chosen)), execution_options={"synchronize_session": False}
    )
    record(session, tags.RETENTION_ERASED, subject="retention", actor=PORTAL, facts=facts)
    return gone


def _of(session: Session, chosen: Sequence[tuple[int, ...]]) -> ColumnElement[bool]:
    people = session.scalars(select(Absence.person_id).where(Absence.id.in_([key[0] for key in chosen])))
    return Entry.subject.in_({f"person:{person}" for person in people})


def _class(
    covered: Held, name: str, before: datetime
) -> tuple[type[Base], ColumnElement[bool], ColumnElement[bool]]:
    """The table of a class, which of its rows are over their time, and which of them a hold keeps."""
    people = covered.people
    requests = select(Request.id).where(covered.requests)
    match name:
        case "drafts":
            return (
                Draft,
                Draft.updated_at < before,
                or_(Draft.person_id.in_(people), _among(Draft.request_id, requests)),
            )
        case "mail":
            references = select(Request.reference).where(covered.requests)
            return (
                Message,
                Message.sent_at < before,
                or_(_among(Message.person_id, people), Message.reference.in_(references)),
            )
        case "sessions":
            return (
                WebSession,
                or_(WebSession.ended_at < before, WebSession.expires_at < before),
                _among(WebSession.person_id, people),
            )
        case "absences":
            return Absence, Absence.last_day < before.date(), Absence.person_id.in_(people)
        case "evidence":
            return EvidenceFile, EvidenceFile.made_at < before, EvidenceFile.request_id.in_(requests)
        case _:
            return Request, _record_over(before), covered.requests


def _among(column: object, chosen: Select[int]) -> ColumnElement[bool]:
    """NULL is in no list, and says so with NULL: a condition that is turned round needs a plain no."""
    return func.coalesce(column.in_(chosen), False)  # type: ignore[attr-defined]


def _record_over(before: datetime) -> ColumnElement[bool]:
    live = select(Entitlement.request_id).where(
        or_(Entitlement.state != EntitlementState.ENDED, Entitlement.ended_at >= before)
    )
    erased = select(Entry.number).where(
        Entry.tag == tags.RECORD_ERASED, Entry.subject == "request:" + Request.reference
    )
    return and_(
        Request.state.in_([*CLOSED, State.FULFILLED]),
        func.coalesce(Request.closed_at, Request.fulfilled_at, Request.decided_at, Request.submitted_at)
        < before,
        Request.id.not_in(live),
        ~erased.exists(),
    )


def _forget(session: Session, about: ColumnElement[bool]) -> int:
    statement = (
        select(PersonalValue.entry_number, PersonalValue.field)
        .join(Entry, Entry.number == PersonalValue.entry_number)
        .where(about)
        .order_by(PersonalValue.entry_number, PersonalValue.field)
    )
    keys = [tuple(row) for row in session.execute(statement)]
    for start in range(0, len(keys), PART):
        chosen = keyed((PersonalValue.entry_number, PersonalValue.field), keys[start : start + PART])
        session.execute(delete(PersonalValue).where(chosen), execution_options={"synchronize_session": False})
    return len(keys)


def _remove(db: Database, gone: Gone, *, evidence: Path, store: Store) -> None:
    for digest in gone.evidence:
        path_of(evidence, digest).unlink(missing_ok=True)
    for digest in gone.contents:
        with db.reading() as session:
            named = session.scalars(select(Attachment.id).where(Attachment.digest == digest).limit(1)).first()
        if named is None:
            store.delete(digest)
