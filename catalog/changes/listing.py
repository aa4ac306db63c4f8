"""The pages of windows and of freezes: what is in force, and what the reader may set and end."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from catalog.changes.model import Kind, Restriction, Scope
from catalog.changes.queries import in_force
from catalog.changes.scopes import ALL, Choice, choices_for, owned_assets
from catalog.changes.words import freeze_text, scope_text, window_text
from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.permissions import Permission


@dataclass(frozen=True, slots=True)
class Line:
    """One window or freeze."""

    number: int
    name: str
    scope: str
    when: str
    set_by: str
    may_end: bool


@dataclass(frozen=True, slots=True)
class RestrictionsPage:
    """What is in force, and for what the reader may set more; nothing for those who may not."""

    lines: tuple[Line, ...]
    choices: tuple[Choice, ...]


def restrictions_page(session: Session, actor: Actor, kind: Kind) -> RestrictionsPage:
    """The page of one kind. Five statements at most."""
    choices, names = choices_for(session, actor)
    offered = {choice.value for choice in choices}
    restrictions = in_force(session, kind, now(session))
    assets = owned_assets(session, actor, [one.asset_id for one in restrictions if one.asset_id])
    everything = actor.may(Permission.OPERATE)
    return RestrictionsPage(
        lines=tuple(
            Line(
                number=one.id,
                name=one.name,
                scope=scope_text(one, names),
                when=window_text(one) if kind is Kind.WINDOW else freeze_text(one, actor.timezone),
                set_by=one.set_by.name,
                may_end=everything or one.asset_id in assets or _value(one) in offered,
            )
            for one in restrictions
        ),
        choices=choices,
    )


def _value(restriction: Restriction) -> str:
    """How the form writes its scope; empty for an asset, whose owners are looked up."""
    if restriction.scope is Scope.OFFERING and restriction.offering is not None:
        return f"offering:{restriction.offering.slug}"
    if restriction.scope is Scope.UNIT and restriction.unit is not None:
        return f"unit:{restriction.unit.slug}"
    return ALL if restriction.scope is Scope.ALL else ""
