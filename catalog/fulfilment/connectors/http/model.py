"""Calls to automation tools: what was sent, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class CallState(StrEnum):
    """How far a call is, as far as the portal knows. `timed-out` is a failure whose cause is silence."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed-out"


class HttpCall(Base):
    """One call. `key` is the fulfilment step's; `action` is do or undo."""

    __tablename__ = "http_call"
    __table_args__ = (
        # Two workers with one key make one call: the database refuses the second.
        UniqueConstraint("key", "action", "round"),
        Index("ix_http_call_entitlement_key", "entitlement_key"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(10))
    #: One more each time that the same is asked for again after it failed or was undone.
    round: Mapped[int] = mapped_column(Integer, default=1)
    #: The last part of the address that the tool calls back.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    target: Mapped[str] = mapped_column(String(40))
    entitlement_key: Mapped[str] = mapped_column(String(400))
    reference: Mapped[str] = mapped_column(String(20), default="")
    #: The document that is sent.
    document: Mapped[dict[str, Any]]
    state: Mapped[CallState] = mapped_column(EnumByValue(CallState))
    #: Where the tool said that it tells how far it is; empty for where the target's file says.
    status_url: Mapped[str] = mapped_column(String(2048), default="")
    #: What the last callback claimed; empty before one came.
    claim: Mapped[dict[str, Any]] = mapped_column(default=dict)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: The tool's own words, or why the portal gave up.
    message: Mapped[str] = mapped_column(SaidText, default="")
    #: How often it was asked after, so that it is asked after by one task at a time.
    asks: Mapped[int] = mapped_column(Integer, default=0)
    opened_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    #: Without an answer by then it has failed.
    answer_by: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    #: When the effect of what was done was undone again.
    undone_at: Mapped[datetime | None]
    #: When the fulfilment was told of a failure; asked again after that, another round begins.
    told_at: Mapped[datetime | None]


class HttpCallback(Base):
    """A callback that was taken; the same one again is not."""

    __tablename__ = "http_callback"
    __table_args__ = (UniqueConstraint("call_id", "message"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("http_call.id"))
    #: The id that the tool gave it.
    message: Mapped[str] = mapped_column(String(200))
    received_at: Mapped[datetime]
