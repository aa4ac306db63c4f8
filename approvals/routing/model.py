"""Stages of a request's route and the people who may decide in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class StageState(StrEnum):
    """`closed` means that it ended without an outcome: rejected elsewhere, withdrawn, planned again."""

    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CLOSED = "closed"


class Stage(Base):
    """A set of eligible approvers and how many of them must agree.

    Stages follow each other by `position`. A stage of the offering that has parts is one row for each part, all with
    its position: they open together, and the next position opens when every part has agreed.
    """

    __tablename__ = "stage"
    __table_args__ = (
        UniqueConstraint("request_id", "revision", "position", "part"),
        Index("ix_stage_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    #: From 1.
    position: Mapped[int] = mapped_column(Integer)
    #: From 0, within the position.
    part: Mapped[int] = mapped_column(Integer, default=0)
    #: Unlike those of all other stages and parts of the offering.
    slug: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(SaidText)
    #: The name of the stage that this is a part of; empty where the stage has no parts.
    part_of: Mapped[str] = mapped_column(SaidText, default="")
    quorum: Mapped[int] = mapped_column(Integer, default=1)
    #: Working minutes that the stage may take.
    target_minutes: Mapped[int] = mapped_column(Integer)
    #: The authentication context that the offering demands here; empty for any.
    acr: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[StageState] = mapped_column(EnumByValue(StageState))
    #: How the approvers were found, in words, and what was climbed over.
    because: Mapped[str] = mapped_column(SaidText, default="")
    opened_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: How many times it was escalated: the rules of so many steps of the sealed version have joined its approvers.
    escalations: Mapped[int] = mapped_column(Integer, default=0)


class StageApprover(Base):
    """One person who was eligible when the route was sealed; checked again on deciding."""

    __tablename__ = "stage_approver"
    __table_args__ = (Index("ix_stage_approver_person_id_stage_id", "person_id", "stage_id"),)

    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    #: The relation that makes them eligible, such as "line manager" or "member of CRM owners".
    relation: Mapped[str] = mapped_column(SaidText)
    #: The relation for machines, so that eligibility can be computed again: "line-manager", "group:crm-owners".
    rule: Mapped[str] = mapped_column(String(200))
    #: Whether they are asked just now: of a rota, only whoever is on duty.
    called: Mapped[bool] = mapped_column(Boolean, default=True)
    #: Set when an escalation had others decide in their place; they can no longer decide here.
    replaced_at: Mapped[datetime | None]


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
