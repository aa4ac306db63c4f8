"""Stages of a request's route and the people who may decide in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class StageState(StrEnum):
    """`closed` means that it ended without an outcome: rejected elsewhere, withdrawn, planned again."""

    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"


class Stage(Base):
    """A set of eligible approvers and how many of them must agree."""

    __tablename__ = "stage"
    __table_args__ = (
        UniqueConstraint("request_id", "revision", "position"),
        Index("ix_stage_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    slug: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    quorum: Mapped[int] = mapped_column(Integer, default=1)
    #: Working minutes that the stage may take.
    target_minutes: Mapped[int] = mapped_column(Integer)
    #: The authentication context that the offering demands here; empty for any.
    acr: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[StageState] = mapped_column(EnumByValue(StageState))
    #: How the approvers were found, in words, and what was climbed over.
    because: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class StageApprover(Base):
    """One person who was eligible when the route was sealed; checked again on deciding."""

    __tablename__ = "stage_approver"
    __table_args__ = (Index("ix_stage_approver_person_id_stage_id", "person_id", "stage_id"),)

    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    #: The relation that makes them eligible, such as "line manager" or "member of CRM owners".
    relation: Mapped[str] = mapped_column(String(200))
    #: The relation for machines, so that eligibility can be computed again: "line-manager", "group:crm-owners".
    rule: Mapped[str] = mapped_column(String(200))


class Sealing(Base):
    """What one seal covered, word for word, so that a seal that has changed since can be told apart by its parts."""

    __tablename__ = "sealing"
    __table_args__ = (UniqueConstraint("request_id", "revision"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    revision: Mapped[int] = mapped_column(Integer)
    seal: Mapped[str] = mapped_column(String(80), index=True)
    document: Mapped[dict[str, Any]]
    #: What the approver should mind that the seal need not cover, such as a look-alike of a name; sentences.
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    sealed_at: Mapped[datetime]
