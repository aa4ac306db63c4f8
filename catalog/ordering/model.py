"""What ordering keeps beside requests: favourites, files that wait to be sent, and how fast offerings are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Favourite(Base):
    """An offering that a person starred (`name` is empty), or answers to it that they kept under a name."""

    __tablename__ = "favourite"
    __table_args__ = (UniqueConstraint("person_id", "offering_id", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    name: Mapped[str] = mapped_column(String(80), default="")
    #: As a draft keeps them: raw.
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class BulkOrder(Base):
    """The rows of a file that somebody uploaded, until they send them or throw them away."""

    __tablename__ = "bulk_order"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    offering_version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"))
    filename: Mapped[str] = mapped_column(String(200))
    #: One raw set of answers a row, with the row's number in the file: [[2, {"person": "rosa"}], …].
    rows: Mapped[list[Any]]
    created_at: Mapped[datetime]
    order_group_id: Mapped[int | None] = mapped_column(ForeignKey("order_group.id"), unique=True)


class Pace(Base):
    """How long requests of an offering took lately, in working minutes; worked out anew every hour."""

    __tablename__ = "pace"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    #: How many were fulfilled in the time looked at.
    fulfilled: Mapped[int] = mapped_column(Integer)
    #: Half of them took at most so long, and nine of ten at most so long.
    half_minutes: Mapped[int] = mapped_column(Integer)
    most_minutes: Mapped[int] = mapped_column(Integer)
    computed_at: Mapped[datetime]


class UnitUse(Base):
    """How often people of a unit asked for an offering lately; worked out with the pace."""

    __tablename__ = "unit_use"

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    orders: Mapped[int] = mapped_column(Integer)
