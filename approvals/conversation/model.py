"""Remarks: what somebody said about a request, and what was answered."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class RemarkKind(StrEnum):
    """A question and a proposal wait for the requester; a comment waits for nobody."""

    COMMENT = "comment"
    QUESTION = "question"
    PROPOSAL = "proposal"


class RemarkState(StrEnum):
    """`open` waits for the requester; `moot` means that nobody needs the answer any more."""

    STANDING = "standing"
    OPEN = "open"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MOOT = "moot"


class Remark(Base):
    """One thing that a person said about a request, in one stage where it waits for an answer."""

    __tablename__ = "remark"
    __table_args__ = (Index("ix_remark_request_id_id", "request_id", "id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    revision: Mapped[int] = mapped_column(Integer)
    stage_id: Mapped[int | None] = mapped_column(ForeignKey("stage.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[RemarkKind] = mapped_column(EnumByValue(RemarkKind))
    state: Mapped[RemarkState] = mapped_column(EnumByValue(RemarkState))
    text: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime]
    #: The seal of what it was said about.
    seal: Mapped[str] = mapped_column(String(80), default="")
    #: What a proposal changes: by field, the answer before and the answer after, checked. Else empty.
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reply: Mapped[str] = mapped_column(Text, default="")
    replied_at: Mapped[datetime | None]
