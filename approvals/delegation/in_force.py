"""Which delegations hold at this moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal, or_, select, union
from sqlalchemy.orm import Session

from approvals.delegation.model import DelegatedOffering, Delegation
from catalog.offerings.model import Offering, OfferingVersion
from portal.core.clock import now
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class InForce:
    """One delegation that holds now, to somebody whose account is active."""

    delegator_id: int
    substitute_id: int
    issuer: str
    subject: str
    name: str
    last_day: date
    #: Whether it is for the offering that was asked about.
    covers: bool


def in_force(session: Session, delegators: Collection[int], offering: str) -> Sequence[InForce]:
    """What these people have delegated just now, the oldest first, whichever offerings it is for. One statement.

    Only what a person set up themselves counts: a right that came by a delegation is never passed on.
    """
    at = now(session)
    rows = session.execute(
        select(
            Delegation.delegator_id,
            Person.id,
            Person.issuer,
            Person.subject,
            Person.name,
            Delegation.last_day,
            _is_for(offering),
        )
        .join(Person, Person.id == Delegation.substitute_id)
        .where(
            Delegation.delegator_id.in_(delegators),
            Delegation.begins_at <= at,
            Delegation.ends_at > at,
            Person.active,
        )
        .order_by(Delegation.id)
    )
    return [InForce(*row) for row in rows]


def reached_from(session: Session, people: Collection[int]) -> dict[int, set[int]]:
    """By person, who may decide in their place now, for any offering. One statement, none without people."""
    reached: dict[int, set[int]] = {}
    if people:
        at = now(session)
        statement = select(Delegation.delegator_id, Delegation.substitute_id).where(
            Delegation.delegator_id.in_(people), Delegation.begins_at <= at, Delegation.ends_at > at
        )
        for delegator, substitute in session.execute(statement):
            reached.setdefault(delegator, set()).add(substitute)
    return reached


def decides_for(person: Any, at: Any) -> Select[tuple[int]]:
    """As a subquery: the person's number, and the number of everybody in whose place they may decide something.

    `person` and `at` are values or parameters of the statement. What it gives is wider than the right: whether a
    delegation is for a request's offering says `stands_in`, and whether the delegator may decide says eligibility.
    """
    own = select(person if isinstance(person, ColumnElement) else literal(person))
    theirs = select(Delegation.delegator_id).where(
        Delegation.substitute_id == person, Delegation.begins_at <= at, Delegation.ends_at > at
    )
    either = union(own, theirs).subquery()
    return select(next(iter(either.c)))


def stands_in(approver: Any, version: Any, person: Any, at: Any) -> ColumnElement[bool]:
    """Whether the person is this approver, or decides in their place in the offering of this version.

    `approver` and `version` are columns: the approver's number and the offering version's.
    """
    delegated = (
        exists()
        .where(
            Delegation.substitute_id == person,
            Delegation.delegator_id == approver,
            Delegation.begins_at <= at,
            Delegation.ends_at > at,
            covers(version),
        )
        .correlate_except(Delegation)
    )
    return or_(approver == person, delegated)


def covers(version: Any) -> ColumnElement[bool]:
    """Whether a delegation is for the offering of this version, which is a column of the statement."""
    # Every subquery says what is its own: it may stand at any depth of the statement.
    offering = (
        select(Offering.slug)
        .join(OfferingVersion, OfferingVersion.offering_id == Offering.id)
        .where(OfferingVersion.id == version)
        .correlate_except(Offering, OfferingVersion)
        .scalar_subquery()
    )
    return _is_for(offering)


def _is_for(offering: Any) -> ColumnElement[bool]:
    named = (
        exists()
        .where(DelegatedOffering.delegation_id == Delegation.id, DelegatedOffering.slug == offering)
        .correlate_except(DelegatedOffering)
    )
    return or_(Delegation.every_offering, named)
