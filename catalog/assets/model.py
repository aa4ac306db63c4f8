"""Assets as the imported file told of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import Base, Key
from portal.identity.model import Group, Person, Unit

CRITICALITIES = ("low", "medium", "high", "critical")


class Asset(Base):
    """One system, application or device. Its owner is a group or a person; nothing is ever deleted."""

    __tablename__ = "asset"
    __table_args__ = (
        CheckConstraint("(owner_group_id IS NULL) <> (owner_id IS NULL)", name="one_owner"),
        Index("ix_asset_name", "name"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: What the organisation's own list calls it for ever.
    asset_id: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(60))
    owner_group_id: Mapped[int | None] = mapped_column(ForeignKey("group.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    criticality: Mapped[str] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(60), default="")
    #: Networks and addresses in their usual form.
    addresses: Mapped[list[Any]] = mapped_column(default=list)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    active: Mapped[bool] = mapped_column(Boolean, default=True)

    owner_group: Mapped[Group | None] = relationship()
    owner: Mapped[Person | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
