"""Erasing a person: what would go, and doing it in one transaction, whose entry tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from approvals.routing.model import Sealing
from catalog.attachments.model import Attachment
from catalog.attachments.store import Store
from catalog.requests.model import Request
from portal.audit import record
from portal.audit.model import Entry, PersonalValue
from portal.core.database import Database
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.keyed import keyed
from portal.core.language import _
from portal.identity.actor import PORTAL, Actor
from portal.identity.erased import is_erased, make_shell
from portal.identity.model import Person
from portal.identity.permissions import Permission
from reports.audits.model import Audit, AuditRow
from reports.erasing import tags
from reports.erasing.holds import held_ids, held_requests
from reports.erasing.in_the_way import in_the_way, references_of
from reports.erasing.naming import Names, texts_naming, values_naming
from reports.erasing.places import PLACES, Place
from reports.evidence.kept import path_of
from reports.evidence.model import EvidenceFile

#: What an order says of itself; it is part of the request's record and goes with that.
OF_THE_RECORD = ("title", "answers")
PART = 400


@dataclass(frozen=True, slots=True)
class Going:
    """So many rows of a table that go, or lose what is personal in them."""

    table: str
    what: str
    rows: int
    #: Whether the rows stay, without what was personal.
    emptied: bool


@dataclass(frozen=True, slots=True)
class Staying:
    """So many things that stay, and why."""

    what: str
    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing a person would do. Nothing is done while something is in the way."""

    person_id: int
    user_name: str
    name: str
    in_the_way: tuple[str, ...]
    going: tuple[Going, ...]
    staying: tuple[Staying, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done, and the files that are to be removed now that it is committed."""

    person_id: int
    going: tuple[Going, ...]
    evidence: tuple[str, ...]
    uploads: tuple[str, ...]


def find(session: Session, name: str, subject: str = "") -> Person:
    """The person with this user name, or with this issuer and subject. Raises NotFound."""
    matching = (Person.issuer == name) & (Person.subject == subject) if subject else Person.user_name == name
    person = session.scalars(select(Person).where(matching)).one_or_none()
    if person is None or is_erased(person):
        raise NotFound(_("There is no such person."))
    return person


def preview(session: Session, person: Person) -> Preview:
    """What erasing them would do now. Changes nothing."""
    return Preview(
        person_id=person.id,
        user_name=person.user_name,
        name=person.name,
        in_the_way=tuple(in_the_way(session, person)),
        going=tuple(_going(session, person)),
        staying=tuple(_staying(session, person)),
    )


def erase(session: Session, actor: Actor, person_id: int) -> Erased:
    """Take everything personal of them out of the portal, and write down that it was done.

    Call `remove_files` when the transaction is committed. Raises Forbidden, NotFound, and Conflict while something is in
    the way.
    """
    if actor is not PORTAL and not actor.may(Permission.ERASE_PEOPLE):
        raise Forbidden(_("Only compliance and administrators erase people."))
    person = session.get(Person, person_id, with_for_update=True)
    if person is None or is_erased(person):
        raise NotFound(_("There is no such person."))
    if actor.person_id == person.id:
        raise Conflict(_("Nobody erases themselves."))
    reasons = in_the_way(session, person)
    if reasons:
        raise Conflict(" ".join(reasons))
    going = tuple(_going(session, person))
    uploads = _uploads(session, person.id)
    evidence = tuple(row.digest for row in _evidence(session, person.id))
    values = _values(session, person)
    names = Names.of(person)
    held = set(session.scalars(held_ids(session)))
    for place in PLACES:
        _empty(session, place, person.id)
    session.expire_all()
    for row, column in list(texts_naming(session, names, held)):
        setattr(row, column, names.without(getattr(row, column)))
    _erase_values(session, values)
    session.execute(delete(EvidenceFile).where(EvidenceFile.digest.in_(evidence)))
    make_shell(person)
    record(
        session,
        tags.PERSON_ERASED,
        subject=tags.erasure_subject(person.id),
        actor=actor,
        facts={
            "person": f"person:{person.id}",
            "rows": dict(sorted(_by_table(going).items())),
            "evidence_files": len(evidence),
        },
    )
    session.flush()
    return Erased(person.id, going, evidence, uploads)


def remove_files(db: Database, erased: Erased, *, evidence: Path, store: Store) -> None:
    """Remove the files that nothing names any more. Doing it again changes nothing."""
    for digest in erased.evidence:
        path_of(evidence, digest).unlink(missing_ok=True)
    for digest in erased.uploads:
        with db.reading() as session:
            named = session.scalars(select(Attachment.id).where(Attachment.digest == digest).limit(1)).first()
        if named is None:
            store.delete(digest)


def _going(session: Session, person: Person) -> Iterable[Going]:
    yield Going("person", "name, mail address, account, title, identity", 1, emptied=True)
    for place in PLACES:
        number = session.scalar(select(func.count()).select_from(place.model).where(place.rows(person.id)))
        if number:
            yield Going(place.table, place.what, number, emptied=bool(place.columns))
    values = _values(session, person)
    if values:
        yield Going(
            "personal_value",
            "values behind entries that they made or that name them",
            len(values),
            emptied=False,
        )
    named: Counter[str] = Counter()
    held = set(session.scalars(held_ids(session)))
    for row, _column in texts_naming(session, Names.of(person), held):
        named[row.__tablename__] += 1
    for table, number in sorted(named.items()):
        yield Going(table, "texts that give their full name or mail address", number, emptied=True)
    files = len(_evidence(session, person.id))
    if files:
        yield Going("evidence_file", "evidence files, made anew when somebody asks", files, emptied=False)


def _staying(session: Session, person: Person) -> Iterable[Staying]:
    count = select(func.count())
    records = session.scalar(
        count.select_from(Request).where(
            or_(Request.requester_id == person.id, Request.beneficiary_id == person.id)
        )
    )
    if records:
        yield Staying(
            "requests by or for them, with answers, plans, files and titles",
            records,
            "their retention is not over; they go when it is, and name the person by number until then",
        )
    references = references_of(session, person.id)
    sealed = session.scalar(
        count.select_from(Sealing)
        .join(Request, Request.id == Sealing.request_id)
        .where(Request.reference.in_(references[:PART]))
    )
    if sealed:
        yield Staying(
            "sealed documents of requests in which they have a part",
            sealed,
            "approvers agreed to their digest; they hold the account's identifier (issuer and subject) and go with the "
            "request's retention",
        )
    held = session.scalars(select(Request.reference).where(held_requests(session))).all()
    if held:
        yield Staying("requests under a legal hold", len(held), "texts in them that name the person stay")
    named = f'"person:{person.id}"'
    audits = session.scalars(
        select(Audit.reference)
        .join(AuditRow, AuditRow.audit_id == Audit.id)
        .where(AuditRow.body.contains(named, autoescape=True))
        .distinct()
        .order_by(Audit.reference)
    ).all()
    if audits:
        yield Staying(
            "audit reports: " + ", ".join(audits),
            len(audits),
            "what was handed out cannot be called back, and its digest is in the ledger",
        )
    yield Staying(
        "free texts of others that name them otherwise",
        0,
        "only the full name and the mail address can be found word for word",
    )


def _empty(session: Session, place: Place, person_id: int) -> None:
    if place.columns:
        statement = update(place.model).where(place.rows(person_id)).values(**place.columns)
        session.execute(statement, execution_options={"synchronize_session": False})
    else:
        session.execute(
            delete(place.model).where(place.rows(person_id)),
            execution_options={"synchronize_session": False},
        )


def _values(session: Session, person: Person) -> set[tuple[int, str]]:
    """Values behind entries that they made or that are about them, and those that name them."""
    ref = f"person:{person.id}"
    statement = (
        select(PersonalValue.entry_number, PersonalValue.field)
        .join(Entry, Entry.number == PersonalValue.entry_number)
        .where(or_(Entry.actor == ref, Entry.subject == ref))
        .where(~(Entry.subject.startswith("request:") & PersonalValue.field.in_(OF_THE_RECORD)))
    )
    theirs = {(row.entry_number, row.field) for row in session.execute(statement)}
    held = session.scalars(select(Request.reference).where(held_requests(session)))
    return theirs | values_naming(session, Names.of(person), {f"request:{one}" for one in held})


def _erase_values(session: Session, values: set[tuple[int, str]]) -> None:
    ordered = sorted(values)
    for start in range(0, len(ordered), PART):
        keys = keyed((PersonalValue.entry_number, PersonalValue.field), ordered[start : start + PART])
        session.execute(delete(PersonalValue).where(keys), execution_options={"synchronize_session": False})


def _evidence(session: Session, person_id: int) -> list[EvidenceFile]:
    references = references_of(session, person_id)
    found: list[EvidenceFile] = []
    for start in range(0, len(references), PART):
        statement = (
            select(EvidenceFile)
            .join(Request, Request.id == EvidenceFile.request_id)
            .where(Request.reference.in_(references[start : start + PART]))
            .order_by(EvidenceFile.id)
        )
        found += session.scalars(statement)
    return found


def _uploads(session: Session, person_id: int) -> tuple[str, ...]:
    statement = select(Attachment.digest).where(
        Attachment.uploader_id == person_id, Attachment.request_id.is_(None)
    )
    return tuple(sorted(set(session.scalars(statement))))


def _by_table(going: Iterable[Going]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for one in going:
        counted[one.table] += one.rows
    return dict(counted)
