"""Who stands how to an entitlement: who has it, who is above them, who answers for what it opens, who reads all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.assets.model import Asset
from catalog.entitlements.model import Entitlement, EntitlementOwner
from catalog.requests.audited import is_in_scope
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.identity.permissions import Permission


class Standing(StrEnum):
    """How somebody stands to an entitlement, the strongest first."""

    HOLDER = "holder"
    MANAGER = "manager"
    OWNER = "owner"
    READER = "reader"


class Owner(NamedTuple):
    """One person who answers for an entitlement, and by which rule."""

    person: Person
    rule: str


_REPORT = aliased(Person)


def reports_of(person_id: int) -> Select[tuple[int]]:
    """The numbers of everybody below a person, over any number of levels, without the person."""
    below = select(Person.id).where(Person.manager_id == person_id).cte("below", recursive=True)
    # A union of sets ends even where two people are each other's superiors.
    below = below.union(select(_REPORT.id).join(below, _REPORT.manager_id == below.c.id))
    return select(below.c.id).where(below.c.id != person_id)


def rules_of(person_id: int) -> Subquery:
    """The rules by which a person answers for things: their groups, and the assets of theirs or of their groups."""
    groups = select(Membership.group_id).where(Membership.person_id == person_id)
    by_group = select((literal("group:") + Group.slug).label("rule")).where(Group.id.in_(groups))
    by_asset = select((literal("asset-owner:") + Asset.asset_id).label("rule")).where(
        or_(Asset.owner_id == person_id, Asset.owner_group_id.in_(groups))
    )
    return by_group.union_all(by_asset).subquery()


def held_by_reports(person_id: int) -> ColumnElement[bool]:
    """That an entitlement is held by somebody below this person."""
    return Entitlement.person_id.in_(reports_of(person_id))


def owned_by(person_id: int) -> ColumnElement[bool]:
    """That this person answers for what an entitlement opens."""
    rules = rules_of(person_id)
    return Entitlement.id.in_(
        select(EntitlementOwner.entitlement_id).join(rules, rules.c.rule == EntitlementOwner.rule)
    )


def standing_of(session: Session, actor: Actor, entitlement: Entitlement) -> Standing | None:
    """How the actor stands to it; None for somebody whom it does not concern. One statement."""
    if actor.person_id is None:
        return None
    if actor.audit is not None:
        return Standing.READER if is_in_scope(session, actor, entitlement.request_id) else None
    if entitlement.person_id == actor.person_id:
        return Standing.HOLDER
    here = Entitlement.id == entitlement.id
    below, owned = session.execute(
        select(
            exists(select(Entitlement.id).where(here, held_by_reports(actor.person_id))),
            exists(select(Entitlement.id).where(here, owned_by(actor.person_id))),
        )
    ).one()
    if below:
        return Standing.MANAGER
    if owned:
        return Standing.OWNER
    return Standing.READER if actor.may(Permission.READ_ALL_REQUESTS) else None


def owners_by_rule(session: Session, rules: Collection[str]) -> Sequence[Owner]:
    """The active people whom these rules mean now, by name; everybody once. One statement for each kind of rule."""
    slugs = [rule.removeprefix("group:") for rule in rules if rule.startswith("group:")]
    assets = [rule.removeprefix("asset-owner:") for rule in rules if rule.startswith("asset-owner:")]
    found: list[Any] = []
    if slugs:
        found += session.execute(
            select(Person, (literal("group:") + Group.slug).label("rule"))
            .join(Membership, Membership.person_id == Person.id)
            .join(Group, Group.id == Membership.group_id)
            .where(Group.slug.in_(slugs), Person.active)
        ).all()
    if assets:
        found += session.execute(
            select(Person, (literal("asset-owner:") + Asset.asset_id).label("rule"))
            .select_from(Asset)
            .outerjoin(Membership, Membership.group_id == Asset.owner_group_id)
            .join(Person, or_(Person.id == Asset.owner_id, Person.id == Membership.person_id))
            .where(Asset.asset_id.in_(assets), Person.active)
        ).all()
    once = {person.id: Owner(person, rule) for person, rule in found}
    return sorted(once.values(), key=lambda owner: (owner.person.name, owner.person.id))
