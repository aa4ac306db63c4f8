"""What follows from the entries alone, whoever wrote the rows: even the portal's own code cannot make it otherwise."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals import tags as approval_tags
from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Sealing, Stage
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.tags import PUBLISHED
from catalog.requests import tags
from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core.canonical import digest
from reports.erasing.tags import RECORD_ERASED
from reports.records.found import RecordFinding, called
from reports.records.rows import Tell

PART = 200
_VERDICTS = {approval_tags.APPROVED: Verdict.APPROVE, approval_tags.DENIED: Verdict.DENY}
_TAGS = (tags.SUBMITTED, RECORD_ERASED, approval_tags.SEALED, approval_tags.GLASS_BROKEN, *_VERDICTS)


def odd_stories(session: Session, tell: Tell) -> Iterator[RecordFinding]:
    """Requests, their seals and their decisions against their entries."""
    expected = 1
    while True:
        requests = session.execute(
            select(
                Request.id,
                Request.number,
                Request.reference,
                Request.seal,
                Request.requester_id,
                Request.revision,
            )
            .where(Request.number >= expected)
            .order_by(Request.number)
            .limit(PART)
        ).all()
        if not requests:
            break
        entries = _entries(session, [request.reference for request in requests])
        for request in requests:
            if request.number != expected or request.reference != f"SR-{expected:06d}":
                sentence = f"After SR-{expected - 1:06d} comes {request.reference}: references have a gap."
                yield RecordFinding("request", str(request.id), None, sentence)
            expected = request.number + 1
            yield from _odd_submission(request, entries.get(request.reference, []))
        yield from _odd_seals(session, requests, entries)
        yield from _odd_decisions(session, requests, entries)
        tell(len(requests))
    yield from _without_request(session)


def _entries(session: Session, references: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    subjects = [f"request:{reference}" for reference in references]
    statement = select(Entry.subject, Entry.body).where(Entry.subject.in_(subjects), Entry.tag.in_(_TAGS))
    for subject, body in session.execute(statement.order_by(Entry.number)):
        found.setdefault(subject.removeprefix("request:"), []).append(json.loads(body))
    return found


def _odd_submission(request: Any, entries: Sequence[dict[str, Any]]) -> Iterator[RecordFinding]:
    submissions = [entry for entry in entries if entry["tag"] == tags.SUBMITTED]
    number = submissions[0]["number"] if submissions else None
    if len(submissions) != 1:
        sentence = (
            f"{request.reference} was submitted {len(submissions)} times, says the ledger; it must be once."
        )
    elif submissions[0]["actor"] != f"person:{request.requester_id}":
        sentence = f"{request.reference} is said to be of another requester than entry {number} tells."
    else:
        return
    yield RecordFinding("request", str(request.id), number, sentence)


def _odd_seals(
    session: Session, requests: Sequence[Any], entries: dict[str, list[dict[str, Any]]]
) -> Iterator[RecordFinding]:
    references = {request.id: request.reference for request in requests}
    last: dict[tuple[int, int], str] = {}
    statement = select(Sealing.id, Sealing.request_id, Sealing.revision, Sealing.seal, Sealing.document)
    for row in session.execute(statement.where(Sealing.request_id.in_(references)).order_by(Sealing.id)):
        last[row.request_id, row.revision] = row.seal
        reference = references[row.request_id]
        erased = any(entry["tag"] == RECORD_ERASED for entry in entries.get(reference, []))
        if digest(row.document) != row.seal and not (erased and row.document == {}):
            sentence = f"The sealed document {row.id} of {reference} does not give its seal."
        elif not any(entry["facts"].get("seal") == row.seal for entry in entries.get(reference, [])):
            sentence = f"No entry tells of the seal under the document {row.id} of {reference}."
        else:
            continue
        yield RecordFinding("sealing", str(row.id), None, sentence)
    for request in requests:
        sealed = last.get((request.id, request.revision))
        if sealed is not None and request.seal not in {"", sealed}:
            sentence = f"The seal of {request.reference} is not the one of its sealed document."
            yield RecordFinding("request", str(request.id), None, sentence)


def _odd_decisions(
    session: Session, requests: Sequence[Any], entries: dict[str, list[dict[str, Any]]]
) -> Iterator[RecordFinding]:
    references = {request.id: request.reference for request in requests}
    told = {
        (reference, *_of_entry(entry)): entry["number"]
        for reference, its in entries.items()
        for entry in its
        if entry["tag"] in _VERDICTS
    }
    open_ = Counter(told.keys())
    statement = (
        select(Decision, Stage.slug)
        .join(Stage, Stage.id == Decision.stage_id)
        .where(Decision.request_id.in_(references))
        .order_by(Decision.id)
    )
    for decision, slug in session.execute(statement):
        key = (references[decision.request_id], *_of_row(decision, slug))
        if open_[key] > 0:
            open_[key] -= 1
            continue
        sentence = f"{called(session, 'decision', str(decision.id))}: no entry tells of it as it stands."
        yield RecordFinding("decision", str(decision.id), None, sentence)
    for key in sorted(+open_, key=str):
        number = told[key]
        sentence = f"Entry {number} tells of a decision about {key[0]} that is not there."
        yield RecordFinding("decision", "", number, sentence)


def _of_entry(entry: dict[str, Any]) -> tuple[Any, ...]:
    facts = entry["facts"]
    return (
        entry["actor"],
        _VERDICTS[entry["tag"]].value,
        facts["stage"],
        facts["revision"],
        facts["seal"],
        facts.get("on_behalf_of"),
        facts["auth_time"],
    )


def _of_row(decision: Decision, slug: str) -> tuple[Any, ...]:
    behalf = decision.on_behalf_of_id
    return (
        f"person:{decision.person_id}",
        decision.verdict.value,
        slug,
        decision.revision,
        decision.seal,
        f"person:{behalf}" if behalf else None,
        decision.auth_time.isoformat(),
    )


def _without_request(session: Session) -> Iterator[RecordFinding]:
    statement = (
        select(Entry.number, Entry.subject)
        .outerjoin(Request, Entry.subject == "request:" + Request.reference)
        .where(Entry.tag == tags.SUBMITTED, Request.id.is_(None))
        .order_by(Entry.number)
    )
    for number, subject in session.execute(statement):
        reference = subject.removeprefix("request:")
        sentence = f"{reference} is missing: entry {number} tells that it was submitted."
        yield RecordFinding("request", reference, number, sentence)


def odd_versions(session: Session, tell: Tell) -> Iterator[RecordFinding]:
    """Versions of offerings whose text does not give their digest, or that no entry published so."""
    statement = (
        select(OfferingVersion.id, OfferingVersion.number, OfferingVersion.digest, OfferingVersion.document)
        .add_columns(Offering.slug)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .order_by(OfferingVersion.id)
    )
    for row in session.execute(statement.execution_options(yield_per=20)):
        published = session.scalars(
            select(Entry.body).where(Entry.subject == f"offering:{row.slug}", Entry.tag == PUBLISHED)
        )
        told = {
            (facts["version"], facts["digest"]) for facts in (json.loads(body)["facts"] for body in published)
        }
        if digest(row.document) != row.digest:
            sentence = f"Version {row.number} of {row.slug} was changed: its text does not give its digest."
        elif (row.number, row.digest) not in told:
            sentence = f"No entry tells that version {row.number} of {row.slug} was published as it stands."
        else:
            continue
        yield RecordFinding("offering_version", str(row.id), None, sentence)
    count = session.scalar(select(func.count(OfferingVersion.id))) or 0
    tell(count)
