"""Reading mandates: the one that a person's account is under."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from portal.core.clock import now
from portal.identity.auditors.model import AuditorMandate
from portal.identity.auditors.scope import AuditScope
from portal.identity.model import Unit


def zone_of(session: Session) -> ZoneInfo:
    """The organisation's time zone: that of its topmost unit."""
    statement = select(Unit.timezone).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)
    return ZoneInfo(session.scalar(statement) or "UTC")


def last_mandate(session: Session, person_id: int) -> AuditorMandate | None:
    """The mandate that counts for a person; None for an account that is no auditor's."""
    return session.scalars(
        select(AuditorMandate)
        .where(AuditorMandate.person_id == person_id)
        .order_by(AuditorMandate.id.desc())
        .limit(1)
    ).one_or_none()


def scope_of(session: Session, person_id: int) -> AuditScope | None:
    """What the person's account may see as an auditor's; three statements at most."""
    mandate = last_mandate(session, person_id)
    if mandate is None:
        return None
    running = mandate.ended_at is None and mandate.begins_at <= now(session) < mandate.ends_at
    units = _with_those_below(session, mandate.units) if mandate.units and running else {}
    return AuditScope(
        mandate_id=mandate.id,
        begins_at=mandate.begins_at,
        ends_at=mandate.ends_at if mandate.ended_at is None else min(mandate.ends_at, mandate.ended_at),
        running=running,
        zone=zone_of(session),
        units=frozenset(units) if mandate.units else None,
        unit_slugs=frozenset(units.values()) if mandate.units else None,
        offerings=frozenset(mandate.offerings) if mandate.offerings else None,
        since=mandate.since,
        until=mandate.until,
    )


def _with_those_below(session: Session, slugs: list[str]) -> dict[int, str]:
    """Numbers and slugs of these units and of all below them."""
    top = select(Unit.id).where(Unit.slug.in_(slugs)).cte("within", recursive=True)
    unit = aliased(Unit)
    # A union of sets ends even where two units were put below each other.
    within = top.union(select(unit.id).join(top, unit.parent_id == top.c.id))
    rows = session.execute(select(Unit.id, Unit.slug).where(Unit.id.in_(select(within.c.id))))
    return {row.id: row.slug for row in rows}
