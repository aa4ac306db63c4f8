"""Windows and freezes that people set, the changes that are planned, and the feeds that show them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.assets.model import Asset
from catalog.offerings.model import Offering
from catalog.requests.model import Request
from portal.core.database import Base, EnumByValue, Key
from portal.identity.model import Person, Unit


class Kind(StrEnum):
    """What a restriction is: hours in which changes are carried out, or a time in which none is."""

    WINDOW = "window"
    FREEZE = "freeze"


class Scope(StrEnum):
    """What a restriction is for. A unit's is also for the units below it."""

    ALL = "all"
    OFFERING = "offering"
    UNIT = "unit"
    ASSET = "asset"


class Restriction(Base):
    """A change window or a freeze. It is ended, never deleted or changed: what held then can be read now."""

    __tablename__ = "change_restriction"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN offering_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN unit_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN asset_id IS NULL THEN 0 ELSE 1 END) = (CASE WHEN scope = 'all' THEN 0 ELSE 1 END)",
            name="one_scope",
        ),
        Index("ix_change_restriction_ended_at_ends_at", "ended_at", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[Kind] = mapped_column(EnumByValue(Kind))
    #: What a window is called, or why there is a freeze.
    name: Mapped[str] = mapped_column(String(200))
    scope: Mapped[Scope] = mapped_column(EnumByValue(Scope))
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offering.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    #: IANA zone in which it was written.
    timezone: Mapped[str] = mapped_column(String(64))
    #: Of a window, its hours as the offering language writes them.
    times: Mapped[list[Any]] = mapped_column(default=list)
    #: Of a freeze, when it begins and ends (UTC).
    begins_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    set_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
    #: When it was taken back, and by whom.
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    offering: Mapped[Offering | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    asset: Mapped[Asset | None] = relationship()
    set_by: Mapped[Person] = relationship(foreign_keys=[set_by_id])


class PlannedChange(Base):
    """When one request is, or was, carried out. A request has one from the day on which it is first prepared."""

    __tablename__ = "planned_change"
    __table_args__ = (Index("ix_planned_change_shown_at", "shown_at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: Random, the same for ever: what calendars outside know it by.
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), unique=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    #: What decides when it may be carried out: catalog.changes.concerns.Concerns.
    concerns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: When it may be carried out, as last worked out (UTC); None for at once. While the request is open it counts from
    #: when it would be approved.
    planned_at: Mapped[datetime | None]
    #: Until when nothing closes before it: the end of the window, or the beginning of a freeze. None for neither.
    planned_until: Mapped[datetime | None]
    #: The windows that it lies in, by name, in every language.
    windows: Mapped[list[Any]] = mapped_column(default=list)
    #: The reasons of the freezes that it waits for.
    freezes: Mapped[list[Any]] = mapped_column(default=list)
    #: No moment within the horizon lies in every window and outside every freeze.
    impossible: Mapped[bool] = mapped_column(Boolean, default=False)
    #: It was approved, so the moment is fixed unless a window or a freeze moves it.
    scheduled: Mapped[bool] = mapped_column(Boolean, default=False)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: Where the calendar shows it: when it started, or else when it is planned; None for nowhere.
    shown_at: Mapped[datetime | None]
    #: Grows with each change of time or standing (RFC 5545 §3.8.7.4).
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    updated_at: Mapped[datetime]

    request: Mapped[Request] = relationship()


class ChangedAsset(Base):
    """An asset that a change touches."""

    __tablename__ = "planned_change_asset"

    change_id: Mapped[int] = mapped_column(
        ForeignKey("planned_change.id", ondelete="CASCADE"), primary_key=True
    )
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True, index=True)


class ToldPerson(Base):
    """Somebody who was told that a change is planned, and is told what becomes of it."""

    __tablename__ = "planned_change_person"

    change_id: Mapped[int] = mapped_column(
        ForeignKey("planned_change.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class CalendarFeed(Base):
    """A person's own address of the calendar for programs. Its token is kept hashed and was shown once."""

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
