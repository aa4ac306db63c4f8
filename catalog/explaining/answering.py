"""The answer to "Who allowed this?": the requests, who approved them and when, or that nobody did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session, aliased

from catalog.entitlements.model import Entitlement
from catalog.explaining.lookup import MOST, look_up
from catalog.explaining.questions import Asked, read_question
from catalog.fulfilment.model import Step
from catalog.offerings.called import names_of
from catalog.offerings.model import OfferingVersion
from catalog.reconciliation.model import Finding, FindingState
from catalog.reconciliation.rights import finding_in_scope, owned_slugs
from catalog.requests.audited import in_scope
from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core.language import spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

#: What the ledger calls a decision that let a request go on; approvals stand above and record them.
DECIDED = ("approval:approved", "request:approved-by-policy", "glass:broken", "standing:used")
Verdict = Literal["allowed", "was-allowed", "nobody", "unknown"]


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes, or the published policy's. `by` is a name; `at` is UTC."""

    by: str
    how: str
    at: datetime
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One thing that a request allows or allowed. Moments are UTC."""

    label: str
    target: str
    connector: str
    key: str
    state: str
    reference: str
    title: str
    offering: str
    requester: str
    holder: str
    since: datetime
    until: datetime | None
    ended_at: datetime | None
    end_reason: str
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Unexplained:
    """One thing that is live, or was, and that nobody allowed."""

    id: int
    label: str
    connector: str
    key: str
    state: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known. `kinds` is what the text may have meant; `more` that there is more than is named."""

    text: str
    kinds: tuple[str, ...]
    verdict: Verdict
    allowed: tuple[Allowed, ...] = ()
    unexplained: tuple[Unexplained, ...] = ()
    more: bool = field(default=False)


class _Row(NamedTuple):
    allowed: Allowed
    subject: str


def explain(session: Session, actor: Actor, text: str, *, at: datetime | None = None) -> Explanation:
    """Who allowed this, as far as the actor may see, now and in the past or at one moment (UTC).

    Seven statements at most. Raises FieldError for a text that can mean nothing.
    """
    asked = read_question(text)
    hits = look_up(session, actor, asked, at=at)
    rows = _allowed(session, actor, asked, hits, at)
    decisions = _decisions(session, {row.subject for row in rows})
    allowed = tuple(_with(row, decisions) for row in rows)
    unexplained = _unexplained(session, actor, [hit.finding_id for hit in hits if hit.finding_id])
    return Explanation(
        text=asked.text,
        kinds=tuple(dict.fromkeys(question.kind for question in asked.questions)),
        verdict=_verdict(allowed, unexplained, at),
        allowed=allowed,
        unexplained=unexplained,
        more=len(hits) > MOST,
    )


def _verdict(allowed: Sequence[Allowed], unexplained: Sequence[Unexplained], at: datetime | None) -> Verdict:
    if any(one.state in {"live", "ending"} or at is not None for one in allowed):
        return "allowed"
    if any(one.state != FindingState.CLOSED.value or at is not None for one in unexplained):
        return "nobody"
    return "was-allowed" if allowed else "unknown"


def _allowed(
    session: Session, actor: Actor, asked: Asked, hits: Iterable[Any], at: datetime | None
) -> list[_Row]:
    steps = [hit.step_id for hit in hits if hit.step_id]
    references = [question.value for question in asked.questions if question.kind == "reference"]
    if not (steps or references):
        return []
    requester, holder = aliased(Person), aliased(Person)
    wanted = Request.reference.in_(references) if references else Step.id.in_(steps)
    rows = session.execute(
        select(Step, Entitlement, Request, requester, holder, OfferingVersion.digest, _OFFERING)
        .select_from(Request)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .join(
            Step,
            (Step.request_id == Request.id) & (Step.revision == Request.revision),
            isouter=bool(references),
        )
        .outerjoin(Entitlement, Entitlement.step_id == Step.id)
        .join(requester, requester.id == Request.requester_id)
        .outerjoin(holder, holder.id == Entitlement.person_id)
        .where(wanted, _may_see(actor))
        .order_by(Request.number.desc(), Step.id.desc())
        .limit(MOST)
    ).all()
    called = names_of(session, ((digest, name) for *_rest, digest, name in rows))
    return [
        _row(step, entitlement, request, who=(asker.name, held.name if held else ""), offering=called[digest])
        for step, entitlement, request, asker, held, digest, _name in rows
        if at is None or entitlement is None or _held_at(entitlement, at)
    ]


_OFFERING = OfferingVersion.document["name"].as_string().label("offering")


def _held_at(entitlement: Entitlement, at: datetime) -> bool:
    return entitlement.granted_at <= at and (entitlement.ended_at is None or entitlement.ended_at >= at)


def _may_see(actor: Actor) -> ColumnElement[bool]:
    if actor.audit is not None:
        return in_scope(actor) if actor.audit.running else false()
    if actor.may(Permission.READ_FINDINGS):
        return true()
    mine = actor.person_id
    return or_(Request.requester_id == mine, Request.beneficiary_id == mine, Entitlement.person_id == mine)


def _row(
    step: Step | None,
    entitlement: Entitlement | None,
    request: Request,
    *,
    who: tuple[str, str],
    offering: str,
) -> _Row:
    asker, holder = who
    if entitlement is not None:
        what = (entitlement.label, entitlement.target, entitlement.connector, entitlement.key)
        state, since = entitlement.state.value, entitlement.granted_at
        ended: tuple[datetime | None, datetime | None, str] = (
            entitlement.ends_at,
            entitlement.ended_at,
            spoken(entitlement.end_reason),
        )
    else:
        target = str(step.plan.get("target", "")) if step is not None else ""
        what = (request.title, target, step.connector if step is not None else "", "")
        state, since = request.state.value, request.fulfilled_at or request.submitted_at
        ended = (request.ends_at, request.closed_at, spoken(request.outcome))
    return _Row(
        Allowed(
            label=spoken(what[0]),
            target=spoken(what[1]),
            connector=what[2],
            key=what[3],
            state=state,
            reference=request.reference,
            title=spoken(request.title),
            offering=offering,
            requester=asker,
            holder=holder,
            since=since,
            until=ended[0],
            ended_at=ended[1],
            end_reason=ended[2],
        ),
        f"request:{request.reference}",
    )


def _with(row: _Row, decisions: Mapping[str, tuple[Approval, ...]]) -> Allowed:
    values = {name: getattr(row.allowed, name) for name in Allowed.__slots__}
    return Allowed(**{**values, "approvals": decisions.get(row.subject, ())})


def _decisions(session: Session, subjects: set[str]) -> Mapping[str, tuple[Approval, ...]]:
    """What the ledger says of who let these requests go on; two statements."""
    if not subjects:
        return {}
    entries = session.execute(
        select(Entry.subject, Entry.tag, Entry.actor, Entry.at, Entry.body)
        .where(Entry.subject.in_(subjects), Entry.tag.in_(DECIDED))
        .order_by(Entry.number)
    ).all()
    told = [
        (subject, tag, actor, at, str(json.loads(body)["facts"].get("on_behalf_of", "")))
        for subject, tag, actor, at, body in entries
    ]
    people = _names(session, {name for _, _, actor, _, other in told for name in (actor, other)})
    found: dict[str, tuple[Approval, ...]] = {}
    for subject, tag, actor, at, other in told:
        approval = Approval(people.get(actor, ""), tag, at, people.get(other, ""))
        found[subject] = (*found.get(subject, ()), approval)
    return found


def _names(session: Session, references: Iterable[str]) -> dict[str, str]:
    numbers = [int(name.removeprefix("person:")) for name in references if name.startswith("person:")]
    if not numbers:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(numbers)))
    return {f"person:{number}": name for number, name in rows}


def _unexplained(session: Session, actor: Actor, numbers: Sequence[int]) -> tuple[Unexplained, ...]:
    if not numbers:
        return ()
    statement = select(Finding).where(Finding.id.in_(numbers), finding_in_scope(actor))
    if not actor.may(Permission.READ_FINDINGS):
        statement = statement.where(Finding.owner.in_(owned_slugs(session, actor)))
    return tuple(
        Unexplained(
            finding.id,
            spoken(finding.label),
            finding.connector,
            finding.key,
            finding.state.value,
            finding.first_seen_at,
            finding.last_seen_at,
        )
        for finding in session.scalars(statement.order_by(Finding.id.desc()).limit(MOST))
    )
