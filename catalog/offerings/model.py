"""Offerings and their published, immutable versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.append_only import append_only
from portal.core.database import Base, Key


class Offering(Base):
    """A service in the catalogue; what it is stands in its versions."""

    __tablename__ = "offering"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    retired: Mapped[bool] = mapped_column(Boolean, default=False)


class OfferingVersion(Base):
    """One published text. `digest` is `sha256:` over the canonical JSON of `document`."""

    __tablename__ = "offering_version"
    __table_args__ = (UniqueConstraint("offering_id", "number"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(80), index=True)
    document: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime]

    offering: Mapped[Offering] = relationship()


append_only(Base.metadata.tables["offering_version"])
