"""The population: every request that the ledger says was submitted in the period and that the query looks at.

Which requests these are is told by the ledger's entries alone; what is told of each comes from the database of the same
moment. Statements run over sets of 500, so their number grows with the population and not the memory of any of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision, Verdict
from catalog.offerings.model import OfferingVersion
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.language import say
from reports.audits.document import CompletenessPart, Promise, RowPart
from reports.audits.problems import AuditNotMade
from reports.audits.scope import Member, Query, chunks
from reports.evidence.rows import moment

SUBJECT = "request:"
_LAST_WORDS = (tags.SUBMITTED, tags.EDITED, tags.PREPARED)
_NOT_CARRIED_OUT = frozenset({State.REJECTED, State.WITHDRAWN, State.REFUSED})


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission entry: which request, when, and what it states of it."""

    reference: str
    entry: int
    at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Population:
    """The requests in scope, in order of their references, and what proves that none is missing."""

    members: tuple[Member, ...]
    completeness: CompletenessPart


def population_of(session: Session, query: Query, *, before: int, after: int, as_of: datetime) -> Population:
    """The population among the entries `before` + 1 to `after`.

    The session is a snapshot whose newest entry is `after`. Raises AuditNotMade when references are missing.
    """
    controls = _controls(session)
    found: list[Submission] = []
    first = last = None
    previous = _previous(session, before)
    count = outside_period = outside_filter = 0
    for submission in _submissions(session, before, after):
        _insist_on_next(last or previous, submission)
        first, last = first or submission.reference, submission.reference
        count += 1
        if not query.covers(submission.at):
            outside_period += 1
        elif not _is_wanted(query, submission, controls):
            outside_filter += 1
        else:
            found.append(submission)
    members = [
        member
        for part in chunks(found)
        for member in _members(session, part, controls, after=after, as_of=as_of)
    ]
    return Population(
        tuple(members),
        CompletenessPart(
            first=first,
            last=last,
            previous=previous,
            submissions=count,
            outside_period=outside_period,
            outside_filter=outside_filter,
        ),
    )


def promise_of(
    state: State,
    promised_by: datetime | None,
    done: datetime | None,
    missed_at: datetime | None,
    as_of: datetime,
) -> Promise:
    """Whether the promise was kept; see RowPart. `done` is when it was carried out."""
    if promised_by is None:
        return "none"
    if done is not None:
        return "kept" if done <= promised_by else "missed"
    if missed_at is not None:
        return "missed"
    if state in _NOT_CARRIED_OUT:
        return "none"
    return "open" if as_of <= promised_by else "missed"


def _submissions(session: Session, before: int, after: int) -> Iterator[Submission]:
    statement = (
        select(Entry.number, Entry.body)
        .where(Entry.tag == tags.SUBMITTED, Entry.number > before, Entry.number <= after)
        .order_by(Entry.number)
        .execution_options(yield_per=1_000)
    )
    for number, body in session.execute(statement):
        told = json.loads(body)
        yield Submission(
            reference=str(told["subject"]).removeprefix(SUBJECT),
            entry=number,
            at=datetime.fromisoformat(told["at"]),
            facts=told["facts"],
        )


def _previous(session: Session, before: int) -> str | None:
    statement = (
        select(Entry.subject)
        .where(Entry.tag == tags.SUBMITTED, Entry.number <= before)
        .order_by(Entry.number.desc())
        .limit(1)
    )
    subject = session.scalar(statement)
    return None if subject is None else subject.removeprefix(SUBJECT)


def _insist_on_next(last: str | None, submission: Submission) -> None:
    wanted = f"SR-{1 if last is None else int(last.removeprefix('SR-')) + 1:06d}"
    if submission.reference != wanted:
        raise AuditNotMade(
            say(
                "The ledger tells of %(found)s where %(wanted)s must follow, so the population cannot be "
                "shown to be complete. Tell the operators.",
                found=submission.reference,
                wanted=wanted,
            )
        )


def _controls(session: Session) -> dict[str, tuple[str, ...]]:
    """What each published version supports, "framework identifier", by its digest."""
    rows = session.execute(select(OfferingVersion.digest, OfferingVersion.document["controls"]))
    return {
        digest: tuple(f"{framework} {name}" for framework in sorted(found) for name in found[framework])
        for digest, found in rows
    }


def _is_wanted(query: Query, submission: Submission, controls: Mapping[str, Sequence[str]]) -> bool:
    facts = submission.facts
    return (
        (not query.units or facts.get("unit") in query.units)
        and (not query.offerings or facts.get("offering") in query.offerings)
        and (
            not query.controls
            or not set(query.controls).isdisjoint(controls.get(str(facts.get("offering_digest")), ()))
        )
    )


def _members(
    session: Session,
    found: Sequence[Submission],
    controls: Mapping[str, tuple[str, ...]],
    *,
    after: int,
    as_of: datetime,
) -> Iterable[Member]:
    rows = {
        row.reference: row
        for row in session.execute(
            select(
                Request.id,
                Request.reference,
                Request.state,
                Request.seal,
                Request.decided_at,
                Request.fulfilled_at,
                Request.closed_at,
                Request.promised_by,
                Request.promise_missed_at,
            ).where(Request.reference.in_([submission.reference for submission in found]))
        )
    }
    missing = [submission.reference for submission in found if submission.reference not in rows]
    if missing:
        raise AuditNotMade(
            say(
                "The ledger tells of %(reference)s, but the database has no such request. Tell the operators.",
                reference=missing[0],
            )
        )
    decisions = _decisions(session, [row.id for row in rows.values()])
    words = _last_words(session, found, after)
    for submission in found:
        row = rows[submission.reference]
        last = {**submission.facts, **words.get(submission.reference, {})}
        approvals, denials = decisions.get(row.id, (0, 0))
        yield Member(
            row.id,
            RowPart(
                reference=submission.reference,
                entry=submission.entry,
                submitted_at=moment(submission.at),
                offering=submission.facts["offering"],
                version=submission.facts["version"],
                offering_digest=submission.facts["offering_digest"],
                unit=submission.facts["unit"],
                kind=last["kind"],
                state=row.state.value,
                requester=submission.facts["requester"],
                beneficiary=last["beneficiary"],
                decided_at=_moment(row.decided_at),
                fulfilled_at=_moment(row.fulfilled_at),
                closed_at=_moment(row.closed_at),
                promised_by=_moment(row.promised_by),
                promise=promise_of(
                    row.state, row.promised_by, row.fulfilled_at, row.promise_missed_at, as_of
                ),
                approvals=approvals,
                denials=denials,
                seal=row.seal or None,
                controls=controls.get(submission.facts["offering_digest"], ()),
            ),
        )


def _decisions(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Approvals and denials that nobody made void, by request."""
    yes = func.sum(case((Decision.verdict == Verdict.APPROVE, 1), else_=0))
    no = func.sum(case((Decision.verdict == Verdict.DENY, 1), else_=0))
    statement = (
        select(Decision.request_id, yes, no)
        .where(Decision.request_id.in_(ids), Decision.voided_at.is_(None))
        .group_by(Decision.request_id)
    )
    return {
        request_id: (int(approvals), int(denials))
        for request_id, approvals, denials in session.execute(statement)
    }


def _last_words(session: Session, found: Sequence[Submission], after: int) -> dict[str, dict[str, Any]]:
    """What the last entry that speaks of it says of kind and beneficiary, by reference."""
    statement = (
        select(Entry.subject, Entry.body)
        .where(
            Entry.subject.in_([SUBJECT + submission.reference for submission in found]),
            Entry.tag.in_(_LAST_WORDS),
            Entry.number <= after,
        )
        .order_by(Entry.number)
    )
    words: dict[str, dict[str, Any]] = {}
    for subject, body in session.execute(statement):
        told = json.loads(body)["facts"]
        known = words.setdefault(subject.removeprefix(SUBJECT), {})
        known.update({name: told[name] for name in ("kind", "beneficiary") if name in told})
    return words


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None
