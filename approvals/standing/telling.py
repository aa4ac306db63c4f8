"""What people are told of standing approvals by mail, written in the same transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.standing.model import StandingApproval
from approvals.standing.signers import needed, signatures_of
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.notifications import notify


def ask_signers(session: Session, standing: StandingApproval, proposer: Actor) -> None:
    """Ask everybody who may sign."""
    numbers = {person.person_id for one in needed(session, standing) for person in one.people}
    context = {
        **_about(standing),
        "proposer": proposer.name,
        "why": standing.reason,
        "scope": standing.scope,
        "uses": standing.uses,
        "ends_at": standing.ends_at,
    }
    for person in _people(session, numbers):
        notify(session, "standing_asked", person, context)


def tell_revoked(session: Session, standing: StandingApproval, actor: Actor) -> None:
    """Tell whoever proposed or signed it."""
    numbers = {standing.proposer_id, *signatures_of(session, standing)} - {actor.person_id or 0}
    context = {**_about(standing), "who": actor.name, "why": standing.revoked_because}
    for person in _people(session, numbers):
        notify(session, "standing_revoked", person, context)


def _about(standing: StandingApproval) -> dict[str, Any]:
    return {
        "name": standing.name,
        "offering": standing.version.document["name"],
        "path": f"/approvals/standing/{standing.id}",
    }


def _people(session: Session, numbers: set[int]) -> list[Person]:
    statement = select(Person).where(Person.id.in_(numbers), Person.active).order_by(Person.id)
    return list(session.scalars(statement))
