"""Policies in force during the period: versions of services with their approval rules, windows and freezes."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.changes.model import Kind, Restriction
from catalog.changes.model import Scope as Whose
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.route import WAYS, Approvers
from portal.core.database import UTCDateTime
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    moment,
    person,
)
from reports.evidence.terms import Count, Digest, Moment, Part, PersonRef


class AskedLine(Part):
    """Who is asked in one stage: by which way of the offering language, how many must agree, and when (CEL)."""

    stage: str
    way: str
    who: str
    quorum: str
    when: str | None


class VersionLine(Part):
    """One published version that was in force at some time of the period, and its approval chain."""

    offering: str
    version: Count
    digest: Digest
    published_at: Moment
    replaced_at: Moment | None
    author: PersonRef | None
    publisher: PersonRef | None
    asked: tuple[AskedLine, ...]


class RestrictionLine(Part):
    """One window or freeze; `whose` is what it is for: all, offering:<slug>, unit:<slug> or asset:<id>."""

    number: Count
    kind: Literal["window", "freeze"]
    name: str
    whose: str
    timezone: str
    hours: tuple[str, ...]
    begins_at: Moment | None
    ends_at: Moment | None
    set_by: PersonRef
    set_at: Moment
    ended_by: PersonRef | None
    ended_at: Moment | None


class Facts(Part):
    """All of it."""

    versions: tuple[VersionLine, ...]
    restrictions: tuple[RestrictionLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Two statements, beside the reading of documents."""
    return Facts(versions=_versions(session, scope), restrictions=_restrictions(session, scope))


def _versions(session: Session, scope: Scope) -> tuple[VersionLine, ...]:
    following = (
        select(
            OfferingVersion.id,
            func.lead(OfferingVersion.published_at, type_=UTCDateTime())
            .over(partition_by=OfferingVersion.offering_id, order_by=OfferingVersion.number)
            .label("replaced_at"),
        )
    ).subquery()
    statement = (
        select(OfferingVersion, following.c.replaced_at)
        .join(following, following.c.id == OfferingVersion.id)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(
            OfferingVersion.published_at < scope.query.until,
            or_(following.c.replaced_at.is_(None), following.c.replaced_at > scope.query.begins),
        )
        .options(joinedload(OfferingVersion.offering))
        .order_by(Offering.slug, OfferingVersion.number)
    )
    if scope.query.offerings:
        statement = statement.where(Offering.slug.in_(scope.query.offerings))
    return tuple(
        VersionLine(
            offering=version.offering.slug,
            version=version.number,
            digest=version.digest,
            published_at=moment(version.published_at) or "",
            replaced_at=moment(replaced),
            author=person(version.author_id),
            publisher=person(version.publisher_id),
            asked=tuple(
                AskedLine(
                    stage=ask.slug,
                    way=_way(ask.approvers),
                    who=str(getattr(ask.approvers, _way(ask.approvers))),
                    quorum=str(ask.quorum),
                    when=ask.when,
                )
                for stage in document_of(version).route.stages
                for ask in stage.asks
            ),
        )
        for version, replaced in session.execute(statement)
    )


def _way(approvers: Approvers) -> str:
    return next(way for way in WAYS if getattr(approvers, way) is not None)


def _restrictions(session: Session, scope: Scope) -> tuple[RestrictionLine, ...]:
    statement = (
        select(Restriction)
        .where(
            Restriction.set_at < scope.query.until,
            or_(Restriction.ended_at.is_(None), Restriction.ended_at > scope.query.begins),
            or_(
                Restriction.kind == Kind.WINDOW,
                and_(Restriction.begins_at < scope.query.until, Restriction.ends_at > scope.query.begins),
            ),
        )
        .options(
            joinedload(Restriction.offering), joinedload(Restriction.unit), joinedload(Restriction.asset)
        )
        .order_by(Restriction.id)
    )
    return tuple(
        RestrictionLine(
            number=restriction.id,
            kind=restriction.kind.value,
            name=restriction.name,
            whose=_whose(restriction),
            timezone=restriction.timezone,
            hours=tuple(str(hours) for hours in restriction.times),
            begins_at=moment(restriction.begins_at),
            ends_at=moment(restriction.ends_at),
            set_by=person(restriction.set_by_id) or "",
            set_at=moment(restriction.set_at) or "",
            ended_by=person(restriction.ended_by_id),
            ended_at=moment(restriction.ended_at),
        )
        for restriction in session.scalars(statement)
    )


def _whose(restriction: Restriction) -> str:
    match restriction.scope:
        case Whose.OFFERING:
            return f"offering:{restriction.offering.slug if restriction.offering else ''}"
        case Whose.UNIT:
            return f"unit:{restriction.unit.slug if restriction.unit else ''}"
        case Whose.ASSET:
            return f"asset:{restriction.asset.asset_id if restriction.asset else ''}"
        case Whose.ALL:
            return "all"
