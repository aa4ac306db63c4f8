"""Readings of targets, and what they found that the record of entitlements does not say."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class FindingKind(StrEnum):
    """`unexplained`: live, and no request allows it. `missing`: recorded as live, and not there.

    `drifted`: there and recorded, and not as it was sealed.
    """

    UNEXPLAINED = "unexplained"
    MISSING = "missing"
    DRIFTED = "drifted"


class FindingState(StrEnum):
    """`accepted` lasts until the day that was agreed; `closed` by the reading that no longer saw it."""

    OPEN = "open"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class Reading(Base):
    """One look at everything on one target. Times are UTC; the counts are of that moment."""

    __tablename__ = "target_reading"
    __table_args__ = (Index("ix_target_reading_connector_id", "connector", "id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    connector: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    #: False where the target did not answer; then nothing is known, and `why` says what it said.
    was_read: Mapped[bool] = mapped_column(Boolean)
    why: Mapped[str] = mapped_column(SaidText, default="")
    #: Things live on the target, and those of them that a request or an acceptance explains.
    live: Mapped[int] = mapped_column(Integer, default=0)
    explained: Mapped[int] = mapped_column(Integer, default=0)
    opened: Mapped[int] = mapped_column(Integer, default=0)
    closed: Mapped[int] = mapped_column(Integer, default=0)


class Finding(Base):
    """One thing on one target that the record does not explain. The same thing found anew later is a new finding."""

    __tablename__ = "finding"
    __table_args__ = (
        Index("ix_finding_state_id", "state", "id"),
        Index("ix_finding_connector_state_last_seen_at", "connector", "state", "last_seen_at"),
        Index("ix_finding_owner_state", "owner", "state"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    connector: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(400))
    #: Of connector and key while it is not closed, so that one thing is found once; empty (null) afterwards.
    open_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    kind: Mapped[FindingKind] = mapped_column(EnumByValue(FindingKind))
    state: Mapped[FindingState] = mapped_column(EnumByValue(FindingState))
    label: Mapped[str] = mapped_column(SaidText)
    #: What the target says of it; of something missing, what the record says.
    facts: Mapped[dict[str, Any]]
    #: Of something that drifted: name, what was sealed, what is there.
    differences: Mapped[list[Any]] = mapped_column(default=list)
    #: The reference that the target itself has on it, if any.
    reference: Mapped[str] = mapped_column(String(20), default="")
    #: What it is matched with in the record; empty for something unexplained.
    entitlement_id: Mapped[int | None] = mapped_column(ForeignKey("entitlement.id"))
    #: The group that answers for such things.
    owner: Mapped[str] = mapped_column(String(80), default="")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: When its owners were told of it.
    told_at: Mapped[datetime | None]
    #: The request that takes it away or adopts it, if one was made.
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"), index=True)


class Acceptance(Base):
    """One person's word that a finding may stay until a day, and another's who confirmed it."""

    __tablename__ = "finding_acceptance"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    #: The last day on which it holds.
    until: Mapped[date] = mapped_column(Date)
    #: Of the finding's kind and facts: what is there later may be something else, which nobody accepted.
    digest: Mapped[str] = mapped_column(String(80))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    #: When it was over: refused, past its day, or what it was about has changed.
    ended_at: Mapped[datetime | None]
