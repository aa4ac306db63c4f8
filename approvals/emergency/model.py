"""Reviews of what was done without its ordinary approvers, and the glass that was broken for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class Cause(StrEnum):
    """Why the ordinary approvers were not asked first."""

    EMERGENCY = "emergency"
    BREAK_GLASS = "break-glass"


class ReviewState(StrEnum):
    """`lapsed` was not reviewed in time; `void` has nothing left to review, for nothing of it was carried out."""

    OPEN = "open"
    RIGHT = "right"
    WRONG = "wrong"
    LAPSED = "lapsed"
    VOID = "void"


class Finding(StrEnum):
    """What a reviewer says of what was done without them."""

    RIGHT = "right"
    WRONG = "wrong"


class Review(Base):
    """One look back at one revision of a request, by those who would have approved it.

    `seats` are the stages that were passed over: slug, name and how many of their people must find it right.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("request_id", "revision"),
        Index("ix_review_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    revision: Mapped[int] = mapped_column(Integer)
    cause: Mapped[Cause] = mapped_column(EnumByValue(Cause))
    state: Mapped[ReviewState] = mapped_column(EnumByValue(ReviewState))
    seats: Mapped[list[Any]] = mapped_column(default=list)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: When everything that it stands for was gone from its targets.
    undone_at: Mapped[datetime | None]


class Reviewer(Base):
    """One person who was passed over, in the stage where they would have decided."""

    __tablename__ = "reviewer"
    __table_args__ = (Index("ix_reviewer_person_id", "person_id"),)

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(80), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    relation: Mapped[str] = mapped_column(SaidText)
    #: As in a route, so that the right can be computed again when they speak.
    rule: Mapped[str] = mapped_column(String(200))


class ReviewWord(Base):
    """One reviewer's word, with how they had signed in."""

    __tablename__ = "review_word"
    __table_args__ = (UniqueConstraint("review_id", "person_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    finding: Mapped[Finding] = mapped_column(EnumByValue(Finding))
    reason: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime]
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(200), default="")
    amr: Mapped[list[Any]] = mapped_column(default=list)


class Glass(Base):
    """One person's word to break the glass; it takes a second person's on the very same seal.

    `seal` is what the request's will be: its answers, plan and risk as they stand, with these two in place of the
    approval chain.
    """

    __tablename__ = "glass"
    __table_args__ = (Index("ix_glass_request_id", "request_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    #: The revision that waited for approval then.
    revision: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(Text)
    seal: Mapped[str] = mapped_column(String(80))
    said_at: Mapped[datetime]
    #: Until then a second person may agree.
    ends_at: Mapped[datetime]
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(200), default="")
    amr: Mapped[list[Any]] = mapped_column(default=list)
    broken_at: Mapped[datetime | None]
