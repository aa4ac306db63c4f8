"""Decisions: who said what on which seal and how they had signed in; what they had seen; whom they left it to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class Verdict(StrEnum):
    """What an approver said."""

    APPROVE = "approve"
    DENY = "deny"


class Decision(Base):
    """One person's word in one stage. A person counts once in a request's revision, over all its stages."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("stage_id", "person_id"),
        UniqueConstraint("request_id", "revision", "person_id"),
        UniqueConstraint("request_id", "revision", "on_behalf_of_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: The approver in whose place they decided, by a delegation; the two count as one person.
    on_behalf_of_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    verdict: Mapped[Verdict] = mapped_column(EnumByValue(Verdict))
    comment: Mapped[str] = mapped_column(Text, default="")
    seal: Mapped[str] = mapped_column(String(80))
    decided_at: Mapped[datetime]
    # How they had signed in, from the ID token of that sign-in.
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(200), default="")
    amr: Mapped[list[Any]] = mapped_column(default=list)
    voided_at: Mapped[datetime | None]
    voided_because: Mapped[str] = mapped_column(Text, default="")


class CardOpening(Base):
    """That a person has seen a request's decision card, and under which seal: what a bulk decision may rest on."""

    __tablename__ = "card_opening"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True, index=True)
    seal: Mapped[str] = mapped_column(String(80))
    opened_at: Mapped[datetime]


class Reassignment(Base):
    """That one approver of a stage left it to another. Both keep their right; only one is asked any more."""

    __tablename__ = "reassignment"
    __table_args__ = (Index("ix_reassignment_from_id_stage_id", "from_id", "stage_id", unique=True),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"), index=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
