"""Scopes: what a window or freeze may be set for, and who may set it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.assets.register import Register
from catalog.changes.model import Restriction, Scope
from catalog.offerings.queries import document_of, published_versions
from portal.core.errors import FieldError
from portal.core.language import _, language
from portal.identity.actor import Actor
from portal.identity.model import Group, Unit
from portal.identity.permissions import Permission

#: How a scope stands in a form: `all`, `offering:<slug>`, `unit:<slug>`, or `asset` with the asset beside it.
ALL, ASSET = Scope.ALL.value, Scope.ASSET.value


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader may set windows and freezes for, as a form offers it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """One scope, as a restriction keeps it. `called` is English, for the ledger."""

    scope: Scope
    called: str
    offering_id: int | None = None
    unit_id: int | None = None
    asset_id: int | None = None


def choices_for(session: Session, actor: Actor) -> tuple[tuple[Choice, ...], dict[int, str]]:
    """What the actor may choose: operators everything, others the services, units and assets that are theirs.

    With it, what every service is called, by number. Four statements at most.
    """
    everything = actor.may(Permission.OPERATE)
    slugs = _own_groups(session, actor)
    choices = [Choice(ALL, _("Everything"))] if everything else []
    names = {}
    for version in published_versions(session):
        document = document_of(version)
        name = names[version.offering_id] = document.in_language(language()).name
        if everything or document.owner in slugs:
            choices.append(Choice(f"offering:{document.slug}", _("The service %(name)s", name=name)))
    units = session.scalars(select(Unit).order_by(Unit.name, Unit.id)).all()
    headed = {unit.id for unit in units} if everything else _headed(units, actor)
    choices += [
        Choice(f"unit:{unit.slug}", _("The unit %(name)s and those below it", name=unit.name))
        for unit in units
        if unit.id in headed
    ]
    if everything or session.scalars(_owned_by(actor).limit(1)).first() is not None:
        choices.append(Choice(ASSET, _("One asset, which you name below")))
    return tuple(choices), names


def chosen_scope(session: Session, actor: Actor, value: str, asset: str) -> Chosen:
    """The scope that was chosen. Raises FieldError for one that is not there or not the actor's to choose."""
    kind, _colon, slug = value.partition(":")
    offered = {choice.value for choice in choices_for(session, actor)[0]}
    if value not in offered:
        raise FieldError("scope", _("Choose what it is for."))
    if kind == Scope.OFFERING:
        found = next(one for one in published_versions(session) if one.offering.slug == slug)
        return Chosen(Scope.OFFERING, value, offering_id=found.offering_id)
    if kind == Scope.UNIT:
        unit = session.scalars(select(Unit).where(Unit.slug == slug)).one()
        return Chosen(Scope.UNIT, value, unit_id=unit.id)
    if kind == Scope.ASSET:
        return _asset(session, actor, asset)
    return Chosen(Scope.ALL, value)


def may_end(session: Session, actor: Actor, restriction: Restriction) -> bool:
    """Whether the actor may set, and so end, what is set for this scope."""
    if actor.may(Permission.OPERATE):
        return True
    if restriction.scope is Scope.ASSET:
        owned = _owned_by(actor).where(Asset.id == restriction.asset_id)
        return session.scalars(owned).first() is not None
    if restriction.scope is Scope.OFFERING and restriction.offering is not None:
        value = f"offering:{restriction.offering.slug}"
    elif restriction.scope is Scope.UNIT and restriction.unit is not None:
        value = f"unit:{restriction.unit.slug}"
    else:
        return False
    return value in {choice.value for choice in choices_for(session, actor)[0]}


def owned_assets(session: Session, actor: Actor, assets: Collection[int]) -> frozenset[int]:
    """Those of these assets that the actor owns, themselves or by a group. One statement, none without assets."""
    if not assets:
        return frozenset()
    return frozenset(session.scalars(_owned_by(actor).where(Asset.id.in_(assets))))


def _asset(session: Session, actor: Actor, text: str) -> Chosen:
    if not text.strip():
        raise FieldError("asset", _("Enter the asset."))
    try:
        facts = Register(session).find(text)
    except ValueError as error:
        raise FieldError("asset", str(error)) from error
    asset = session.scalars(select(Asset).where(Asset.asset_id == facts.id)).one()
    if not actor.may(Permission.OPERATE):
        mine = session.scalars(_owned_by(actor).where(Asset.id == asset.id)).first()
        if mine is None:
            raise FieldError(
                "asset", _("You do not own this asset. Its owners and the operators may do this.")
            )
    return Chosen(Scope.ASSET, f"asset:{asset.asset_id}", asset_id=asset.id)


def _own_groups(session: Session, actor: Actor) -> frozenset[str]:
    if not actor.group_ids:
        return frozenset()
    return frozenset(session.scalars(select(Group.slug).where(Group.id.in_(actor.group_ids))))


def _owned_by(actor: Actor) -> Select[int]:
    return (
        select(Asset.id)
        .where(
            Asset.active,
            or_(Asset.owner_id == actor.person_id, Asset.owner_group_id.in_(sorted(actor.group_ids))),
        )
        .order_by(Asset.id)
    )


def _headed(units: Sequence[Unit], actor: Actor) -> set[int]:
    """The units that the actor heads, and all below these."""
    found = {unit.id for unit in units if unit.head_id is not None and unit.head_id == actor.person_id}
    grown = True
    while grown:
        below = {unit.id for unit in units if unit.parent_id in found} - found
        found |= below
        grown = bool(below)
    return found
