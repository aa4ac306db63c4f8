"""Recertifications: one question each, to whoever has something and to whoever answers for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class RecertificationState(StrEnum):
    """`revoked` is by an answer or by silence; `void` that it ended meanwhile, so that nothing is left to ask."""

    OPEN = "open"
    KEPT = "kept"
    REVOKED = "revoked"
    VOID = "void"


class Part(StrEnum):
    """As what a person is asked."""

    HOLDER = "holder"
    OWNER = "owner"


class Answer(StrEnum):
    """What a person says."""

    KEEP = "keep"
    NOT_NEEDED = "not-needed"


class Recertification(Base):
    """One question about one entitlement. At most one of them is open at a time."""

    __tablename__ = "recertification"
    __table_args__ = (
        Index("ix_recertification_state_due_at", "state", "due_at"),
        Index("ix_recertification_state_remind_at", "state", "remind_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"), index=True)
    state: Mapped[RecertificationState] = mapped_column(EnumByValue(RecertificationState))
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    #: When whoever is silent is reminded; None once they were.
    remind_at: Mapped[datetime | None]
    #: When it was last used, as the target told when the question was asked; None where it does not know.
    last_used_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Voice(Base):
    """One person who is asked, as holder or as one of those who answer for it, and what they said."""

    __tablename__ = "recertification_voice"

    recertification_id: Mapped[int] = mapped_column(
        ForeignKey("recertification.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    part: Mapped[Part] = mapped_column(EnumByValue(Part))
    #: Why they are asked, as a rule of a route: `group:<slug>`, `asset-owner:<id>`, `line-manager`.
    rule: Mapped[str] = mapped_column(String(120), default="")
    answer: Mapped[Answer | None] = mapped_column(EnumByValue(Answer))
    said: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
