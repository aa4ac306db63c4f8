"""Telling owners and operators of what was found: once for each finding, in one mail for all."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Finding, FindingState
from portal.core.clock import now
from portal.identity.model import Group, Membership, Person
from portal.jobs import Job
from portal.notifications import notify

#: A mail names so many; the page shows all.
MOST_NAMED = 20
#: Findings that are marked as told at once.
_BATCH = 1000
#: Who hears of every finding: whoever works on them.
_EVERYTHING = frozenset({"operator", "compliance"})


def tell_of_findings(job: Job) -> None:
    """Mail what is new to whoever answers for it, and to operators and compliance."""
    with job.transaction() as session:
        findings = _untold(session)
        for person, theirs in _readers(session, findings):
            notify(
                session,
                "findings_new",
                person,
                {
                    "count": len(theirs),
                    "findings": [(finding.kind.value, finding.label) for finding in theirs[:MOST_NAMED]],
                    "path": "/reconciliation",
                },
            )
        at = now(session)
        for finding in findings:
            finding.told_at = at
        job.finish(session)


def _untold(session: Session) -> Sequence[Finding]:
    statement = (
        select(Finding)
        .where(Finding.state == FindingState.OPEN, Finding.told_at.is_(None))
        .order_by(Finding.id)
        .limit(_BATCH)
    )
    return session.scalars(statement.with_for_update()).all()


def _readers(session: Session, findings: Sequence[Finding]) -> list[tuple[Person, Sequence[Finding]]]:
    """Each person with what concerns them, by name; two statements."""
    if not findings:
        return []
    slugs = {finding.owner for finding in findings}
    groups = session.execute(select(Group.id, Group.slug, Group.roles)).all()
    concerned = {row.id: row for row in groups if row.slug in slugs or _EVERYTHING & set(row.roles)}
    rows = session.execute(
        select(Person, Membership.group_id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id.in_(concerned), Person.active)
        .order_by(Person.name, Person.id)
    ).all()
    sees_all: dict[int, bool] = {}
    theirs: dict[int, set[str]] = {}
    people: dict[int, Person] = {}
    for person, group_id in rows:
        group = concerned[group_id]
        people[person.id] = person
        theirs.setdefault(person.id, set()).add(group.slug)
        sees_all[person.id] = sees_all.get(person.id, False) or bool(_EVERYTHING & set(group.roles))
    found = [
        (person, [f for f in findings if sees_all[number] or f.owner in theirs[number]])
        for number, person in people.items()
    ]
    return [(person, list_) for person, list_ in found if list_]
