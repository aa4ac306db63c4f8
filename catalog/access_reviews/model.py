"""Access reviews: one campaign, the items that it asks about, and who is asked about each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class ReviewState(StrEnum):
    """`closed` once everything is settled; `cancelled` by a second person before that."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class AtEnd(StrEnum):
    """What becomes of items that nobody has answered when the time is over."""

    REVOKE = "revoke"
    ESCALATE = "escalate"


class ItemState(StrEnum):
    """What was said of an item; `void` that it ended before anybody said anything."""

    OPEN = "open"
    KEPT = "kept"
    CHANGED = "changed"
    REVOKED = "revoked"
    VOID = "void"


class AccessReview(Base):
    """One campaign over what was live and in scope at one moment. Times are UTC."""

    __tablename__ = "access_review"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)
    #: What was chosen: see catalog.access_reviews.scope.
    scope: Mapped[dict[str, Any]]
    at_end: Mapped[AtEnd] = mapped_column(EnumByValue(AtEnd))
    #: Working days that whoever is asked next has, where unanswered items go on to somebody.
    more_days: Mapped[int] = mapped_column(Integer)
    state: Mapped[ReviewState] = mapped_column(EnumByValue(ReviewState), index=True)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    #: How many items there are, and SHA-256 of the canonical JSON of them all as they were when it was opened.
    total: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(80))
    closed_at: Mapped[datetime | None]
    #: Who cancelled it, or had it closed before its time, and why.
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    close_reason: Mapped[str] = mapped_column(Text, default="")


class ReviewItem(Base):
    """One entitlement in one campaign, and the one answer that counts."""

    __tablename__ = "access_review_item"
    __table_args__ = (
        UniqueConstraint("review_id", "entitlement_id"),
        Index("ix_access_review_item_review_id_state_due_at", "review_id", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("access_review.id"))
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"), index=True)
    state: Mapped[ItemState] = mapped_column(EnumByValue(ItemState))
    #: What it was when the campaign was opened, as the digest covers it.
    as_opened: Mapped[dict[str, Any]]
    #: When it was last used, as the target told soon after the campaign was opened; None where it does not know.
    last_used_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    #: Whether it went on to whoever is above those who did not answer; that happens once.
    escalated: Mapped[bool] = mapped_column(Boolean, default=False)
    #: How often it was answered: an answer names the count that it was given upon, so that of two at once one counts.
    turn: Mapped[int] = mapped_column(Integer, default=0)
    #: None where nobody answered in time, and for what ended by itself.
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answered_at: Mapped[datetime | None]
    said: Mapped[str] = mapped_column(Text, default="")
    #: Of an answer "change": the end that it has now, and the one that it had.
    ends_at: Mapped[datetime | None]
    ended_before: Mapped[datetime | None]


class ItemReviewer(Base):
    """One of those who may answer an item, and why they are asked."""

    __tablename__ = "access_review_item_reviewer"

    item_id: Mapped[int] = mapped_column(
        ForeignKey("access_review_item.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    #: As routes say it: `group:<slug>`, `asset-owner:<id>`, `line-manager`, `unit-head`; `role:compliance` at last.
    rule: Mapped[str] = mapped_column(String(120))


class Reviewer(Base):
    """One person in one campaign: when they were told, and when they are reminded."""

    __tablename__ = "access_review_reviewer"

    review_id: Mapped[int] = mapped_column(ForeignKey("access_review.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    told_at: Mapped[datetime]
    #: Half-way, then one working day before the end, in the person's own working time; None once both are over.
    remind_at: Mapped[datetime | None]
    last_reminder_at: Mapped[datetime | None]
