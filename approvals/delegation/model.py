"""Delegations: for some days one person may decide in another's place."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Delegation(Base):
    """From one person to one other, both days included, in the delegator's zone as it was when they set it up.

    It gives no right of its own: the substitute may decide only where the delegator may at that moment.
    """

    __tablename__ = "delegation"
    __table_args__ = (
        Index("ix_delegation_substitute_id_ends_at", "substitute_id", "ends_at"),
        Index("ix_delegation_delegator_id_ends_at", "delegator_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    delegator_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    substitute_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    begins_at: Mapped[datetime]
    #: The first moment at which it no longer holds; moved forward when one of the two ends it early.
    ends_at: Mapped[datetime]
    #: Whether it is for every offering; else for those in `delegation_offering`.
    every_offering: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime]
    #: Who ended it before its last day, if anybody did.
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class DelegatedOffering(Base):
    """One of the offerings that a delegation is for."""

    __tablename__ = "delegation_offering"

    delegation_id: Mapped[int] = mapped_column(
        ForeignKey("delegation.id", ondelete="CASCADE"), primary_key=True
    )
    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
