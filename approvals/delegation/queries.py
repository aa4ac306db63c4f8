"""Reading a person's delegations: those that they gave, and those by which they decide for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from approvals.delegation.model import DelegatedOffering, Delegation
from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.model import Absence, Person

#: So many that are over are still shown.
LATELY = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One delegation. `other` is whoever is not the reader; `offerings` are slugs, empty for all."""

    id: int
    other: str
    given: bool
    first_day: date
    last_day: date
    offerings: tuple[str, ...]
    #: `coming`, `now`, `over`, or `ended` early by one of the two.
    state: str

    @property
    def may_end(self) -> bool:
        """Whether there is still something to end."""
        return self.state in {"coming", "now"}


def delegations_of(session: Session, actor: Actor) -> Sequence[Line]:
    """What the actor gave or was given: all that hold or will, and the latest that are over. One statement."""
    at = now(session)
    delegator, substitute = aliased(Person), aliased(Person)
    newest = (
        select(Delegation.id)
        .where(or_(Delegation.delegator_id == actor.person_id, Delegation.substitute_id == actor.person_id))
        .order_by((Delegation.ends_at > at).desc(), Delegation.ends_at.desc(), Delegation.id.desc())
        .limit(200)
        .subquery()
    )
    rows = session.execute(
        select(Delegation, delegator.name, substitute.name, DelegatedOffering.slug)
        .join(newest, newest.c.id == Delegation.id)
        .join(delegator, delegator.id == Delegation.delegator_id)
        .join(substitute, substitute.id == Delegation.substitute_id)
        .outerjoin(DelegatedOffering, DelegatedOffering.delegation_id == Delegation.id)
        .order_by(Delegation.begins_at, Delegation.id, DelegatedOffering.slug)
    )
    found: dict[int, tuple[Delegation, str, bool, list[str]]] = {}
    for delegation, from_name, to_name, slug in rows:
        given = delegation.delegator_id == actor.person_id
        entry = found.setdefault(delegation.id, (delegation, to_name if given else from_name, given, []))
        if slug is not None:
            entry[3].append(slug)
    lines = [
        Line(
            id=delegation.id,
            other=other,
            given=given,
            first_day=delegation.first_day,
            last_day=delegation.last_day,
            offerings=tuple(slugs),
            state=_state(delegation, at),
        )
        for delegation, other, given, slugs in found.values()
    ]
    alive = [line for line in lines if line.may_end]
    over = sorted((line for line in lines if not line.may_end), key=lambda line: line.last_day)
    return [*alive, *reversed(over[-LATELY:])]


def why_of_little_use(session: Session, delegation: Delegation) -> tuple[str, date | None]:
    """Whether the substitute is `away` on some of these days, or has `delegated` on some of them; else empty.

    With the last day on which it is so. Two statements at most.
    """
    away = session.scalar(
        select(Absence.last_day)
        .where(
            Absence.person_id == delegation.substitute_id,
            Absence.first_day <= delegation.last_day,
            Absence.last_day >= delegation.first_day,
        )
        .order_by(Absence.last_day.desc())
        .limit(1)
    )
    if away is not None:
        return "away", away
    passed_on = session.scalar(
        select(Delegation.last_day)
        .where(
            Delegation.delegator_id == delegation.substitute_id,
            Delegation.begins_at < delegation.ends_at,
            Delegation.ends_at > delegation.begins_at,
        )
        .order_by(Delegation.last_day.desc())
        .limit(1)
    )
    return ("delegated", passed_on) if passed_on is not None else ("", None)


def _state(delegation: Delegation, at: datetime) -> str:
    if delegation.ended_by_id is not None:
        return "ended"
    if delegation.ends_at <= at:
        return "over"
    return "coming" if delegation.begins_at > at else "now"
