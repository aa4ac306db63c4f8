"""Reading audits for pages: always a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person
from reports.audits.model import Audit, AuditDraw, AuditFacts, AuditFile
from reports.audits.wanted import units_seen_by

PAGE = 25


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One audit in the list, with its last draw if there is one."""

    audit: Audit
    draw: AuditDraw | None


@dataclass(frozen=True, slots=True)
class Found:
    """One audit with everything that its page shows. `names` are those of units and offerings by slug."""

    audit: Audit
    ordered_by: str
    draws: tuple[AuditDraw, ...]
    #: By the draw's row and the file's name.
    files: dict[int, dict[str, AuditFile]]
    givers: dict[int, str]
    completeness: dict[str, Any]
    names: dict[str, str]


def audits_before(
    session: Session, actor: Actor, before: int | None, limit: int = PAGE
) -> tuple[list[AuditLine], int | None]:
    """Audits that the reader may see, newest first, and the number to go on from; two statements.

    A reader whose account is limited to units sees those that look at nothing else.
    """
    seen = units_seen_by(session, actor)
    query = select(Audit).options(joinedload(Audit.ordered_by)).order_by(Audit.id.desc())
    if before is not None:
        query = query.where(Audit.id < before)
    if seen is None:
        found = list(session.scalars(query.limit(limit + 1)))
    else:
        # Few audits are made for one unit; what is left out is decided here, because the units are JSON.
        found = [
            audit for audit in session.scalars(query) if may_see(audit, seen) and stays_within(audit, actor)
        ][: limit + 1]
    shown = found[:limit]
    newest = (
        select(func.max(AuditDraw.id))
        .where(AuditDraw.audit_id.in_([audit.id for audit in shown]))
        .group_by(AuditDraw.audit_id)
    )
    draws = {
        draw.audit_id: draw for draw in session.scalars(select(AuditDraw).where(AuditDraw.id.in_(newest)))
    }
    following = shown[-1].id if len(found) > limit else None
    return [AuditLine(audit, draws.get(audit.id)) for audit in shown], following


def may_see(audit: Audit, seen: frozenset[str] | None) -> bool:
    """Whether a reader who is limited to these units may see the audit; None is no limit."""
    return seen is None or (
        bool(audit.units) and seen.issuperset(audit.units) and audit.disclosure == "scope"
    )


def stays_within(audit: Audit, actor: Actor) -> bool:
    """Whether its services and its period lie within the scope of an auditor's account."""
    scope = actor.audit
    if scope is None or not scope.limited:
        return True
    zone = ZoneInfo(audit.zone)
    begins = datetime.combine(audit.first_day, time(), zone)
    return (
        (scope.offerings is None or (bool(audit.offerings) and scope.offerings.issuperset(audit.offerings)))
        and (scope.since is None or begins >= scope.since)
        and (scope.until is None or audit.until <= scope.until)
    )


def get_audit(session: Session, actor: Actor, reference: str) -> Audit:
    """The audit of this reference, with whoever ordered it. Raises NotFound, also where the reader may not see it."""
    statement = select(Audit).where(Audit.reference == reference).options(joinedload(Audit.ordered_by))
    found = session.scalars(statement).one_or_none()
    if found is None or not may_see(found, units_seen_by(session, actor)) or not stays_within(found, actor):
        raise NotFound(_("There is no such audit."))
    return found


def found_audit(session: Session, actor: Actor, reference: str) -> Found:
    """Everything that the audit's page shows; five statements. Raises NotFound."""
    audit = get_audit(session, actor, reference)
    draws = tuple(
        session.scalars(
            select(AuditDraw).where(AuditDraw.audit_id == audit.id).order_by(AuditDraw.number.desc())
        )
    )
    files: dict[int, dict[str, AuditFile]] = {}
    for file in _files(session, [draw.id for draw in draws]):
        files.setdefault(file.draw_id, {})[file.name] = file
    people = {draw.given_by_id for draw in draws if draw.given_by_id}
    givers = session.scalars(select(Person).where(Person.id.in_(people))).all() if people else ()
    facts = session.execute(
        select(AuditFacts.completeness, AuditFacts.units, AuditFacts.offerings).where(
            AuditFacts.audit_id == audit.id
        )
    ).one_or_none()
    return Found(
        audit=audit,
        ordered_by=audit.ordered_by.name if audit.ordered_by else _("Countersign"),
        draws=draws,
        files=files,
        givers={person.id: person.name for person in givers},
        completeness=facts.completeness if facts else {},
        names={**facts.units, **facts.offerings} if facts else {},
    )


def find_file(session: Session, audit: Audit, draw: int, name: str) -> AuditFile:
    """A file of a draw that is made. Raises NotFound."""
    statement = (
        select(AuditFile)
        .join(AuditDraw, AuditDraw.id == AuditFile.draw_id)
        .where(
            AuditDraw.audit_id == audit.id,
            AuditDraw.number == draw,
            AuditDraw.finished_at.is_not(None),
            AuditFile.name == name,
        )
    )
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(_("There is no such file."))
    return found


def _files(session: Session, draws: Sequence[int]) -> Sequence[AuditFile]:
    statement = (
        select(AuditFile).where(AuditFile.draw_id.in_(draws)).order_by(AuditFile.draw_id, AuditFile.name)
    )
    return session.scalars(statement).all() if draws else ()
