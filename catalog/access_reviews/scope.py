"""The scope of an access review: which of what is live now it asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, literal, select, union_all
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.entitlements.model import Entitlement, EntitlementOwner, EntitlementState
from catalog.fulfilment.targets import called
from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.context import close_of_day
from catalog.requests.model import Request
from portal.core.language import spoken
from portal.identity.model import Group, Person, Unit

RISKS = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about; an empty part narrows nothing. `granted_before` is a day: that day and later are left out."""

    targets: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()
    #: Slugs of units of the holders; those below them count too.
    units: tuple[str, ...] = ()
    #: Whose it is, as entitlements have it: `asset-owner:<id>` or `group:<slug>`.
    owned: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    granted_before: date | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept, sealed and shown in evidence."""
        return {
            "targets": sorted(self.targets),
            "offerings": sorted(self.offerings),
            "units": sorted(self.units),
            "owned": sorted(self.owned),
            "risks": sorted(self.risks),
            "granted_before": self.granted_before.isoformat() if self.granted_before else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Scope:
        """The scope that `to_json` gave."""
        day = kept["granted_before"]
        return cls(
            targets=tuple(kept["targets"]),
            offerings=tuple(kept["offerings"]),
            units=tuple(kept["units"]),
            owned=tuple(kept["owned"]),
            risks=tuple(kept["risks"]),
            granted_before=date.fromisoformat(day) if day else None,
        )


def live_in(session: Session, scope: Scope, zone: str) -> Sequence[Entitlement]:
    """Everything live in the scope, by number; days are those of `zone`. What is being taken away already is left out."""
    return session.scalars(
        select(Entitlement)
        .where(Entitlement.state == EntitlementState.LIVE, *_conditions(session, scope, zone))
        .order_by(Entitlement.id)
    ).all()


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from, each as value and name: only what something live has."""

    targets: Sequence[tuple[str, str]]
    offerings: Sequence[tuple[str, str]]
    units: Sequence[tuple[str, str]]
    owned: Sequence[tuple[str, str]]


def choices_of(session: Session) -> Choices:
    """What a scope may name, as it is called in the language that is spoken; two statements, or three."""
    live = Entitlement.state == EntitlementState.LIVE
    offerings = session.execute(
        select(Offering.slug, OfferingVersion.digest, OfferingVersion.document["name"].as_string())
        .join(OfferingVersion, OfferingVersion.offering_id == Offering.id)
        .where(
            OfferingVersion.id.in_(
                select(Request.offering_version_id)
                .join(Entitlement, Entitlement.request_id == Request.id)
                .where(live)
            )
        )
        .order_by(OfferingVersion.number)
    ).all()
    called_now = names_of(session, ((digest, name) for _slug, digest, name in offerings))
    rules = (
        select(EntitlementOwner.rule)
        .join(Entitlement, Entitlement.id == EntitlementOwner.entitlement_id)
        .where(live)
        .distinct()
        .subquery()
    )
    by_group = literal("group:") + Group.slug
    by_asset = literal("asset-owner:") + Asset.asset_id
    found: dict[str, list[tuple[str, str]]] = {"target": [], "unit": [], "owned": []}
    for part, value, name in session.execute(
        union_all(
            select(literal("target"), Entitlement.target, Entitlement.target).where(live).distinct(),
            select(literal("unit"), Unit.slug, Unit.name),
            select(literal("owned"), by_group, Group.name).join(rules, rules.c.rule == by_group),
            select(literal("owned"), by_asset, Asset.name).join(rules, rules.c.rule == by_asset),
        )
    ):
        found[part].append((value, name))
    return Choices(
        targets=sorted(((target, spoken(called(target))) for target, _name in found["target"]), key=_by_name),
        offerings=sorted(
            {slug: called_now[digest] for slug, digest, _name in offerings}.items(), key=_by_name
        ),
        units=sorted(found["unit"], key=_by_name),
        owned=sorted(found["owned"], key=_by_name),
    )


def _by_name(one: tuple[str, str]) -> str:
    return one[1].casefold()


def _conditions(session: Session, scope: Scope, zone: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.targets:
        found.append(Entitlement.target.in_(scope.targets))
    if scope.offerings:
        found.append(
            Entitlement.request_id.in_(
                select(Request.id)
                .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
                .join(Offering, Offering.id == OfferingVersion.offering_id)
                .where(Offering.slug.in_(scope.offerings))
            )
        )
    if scope.units:
        below = select(Unit.id).where(Unit.slug.in_(scope.units)).cte("in_scope", recursive=True)
        below = below.union(select(Unit.id).join(below, Unit.parent_id == below.c.id))
        people = select(Person.id).where(Person.unit_id.in_(select(below.c.id)))
        found.append(Entitlement.person_id.in_(people))
    if scope.owned:
        owned = select(EntitlementOwner.entitlement_id).where(EntitlementOwner.rule.in_(scope.owned))
        found.append(Entitlement.id.in_(owned))
    if scope.risks:
        level = Request.risk["level"].as_string()
        found.append(Entitlement.request_id.in_(select(Request.id).where(level.in_(scope.risks))))
    if scope.granted_before:
        # The day itself is left out: it is before its beginning, which is the end of the day before.
        start = close_of_day(date.fromordinal(scope.granted_before.toordinal() - 1), zone)
        found.append(Entitlement.granted_at < start)
    return found
