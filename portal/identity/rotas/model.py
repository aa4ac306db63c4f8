"""On-call rotas: who is on duty, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Rota(Base):
    """One rota, as its calendar was imported last."""

    __tablename__ = "rota"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: SHA-256 of the calendar's content.
    digest: Mapped[str] = mapped_column(String(80))
    imported_at: Mapped[datetime]


class RotaShift(Base):
    """One person's duty, from its start until before its end. What is over is kept: decisions were made on it."""

    __tablename__ = "rota_shift"
    __table_args__ = (Index("ix_rota_shift_rota_id_ends_at", "rota_id", "ends_at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    rota_id: Mapped[int] = mapped_column(ForeignKey("rota.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
