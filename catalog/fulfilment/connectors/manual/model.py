"""Manual tasks: what people were asked to do by hand, item by item, and what they recorded."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.requests.model import Request
from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText
from portal.identity.model import Group


class ManualState(StrEnum):
    """Where a manual task stands. `impossible` is a person's word that it cannot be done."""

    OPEN = "open"
    DONE = "done"
    IMPOSSIBLE = "impossible"
    CANCELLED = "cancelled"


class ManualTask(Base):
    """One piece of work for a group. `key` is the fulfilment step's; `action` is do or undo."""

    __tablename__ = "manual_task"
    __table_args__ = (
        # Two workers with one key open one task: the database refuses the second.
        UniqueConstraint("key", "action", "round"),
        Index("ix_manual_task_group_state", "group_id", "state"),
        Index("ix_manual_task_entitlement_key", "entitlement_key"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(10))
    #: One more each time that the same work is asked for again after it was cancelled, undone or impossible.
    round: Mapped[int] = mapped_column(Integer, default=1)
    entitlement_key: Mapped[str] = mapped_column(String(400))
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("group.id"))
    title: Mapped[str] = mapped_column(SaidText)
    instructions: Mapped[str] = mapped_column(SaidText, default="")
    #: Plan.to_json() as the connector was given it.
    plan: Mapped[dict[str, Any]]
    state: Mapped[ManualState] = mapped_column(EnumByValue(ManualState))
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    #: Why items were left unticked, or why it cannot be done.
    reason: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: When the effect of work that was done was undone again.
    undone_at: Mapped[datetime | None]
    #: Whether the fulfilment was told of an impossible one; asked again after that, a new one is opened.
    told_at: Mapped[datetime | None]

    request: Mapped[Request] = relationship()
    group: Mapped[Group] = relationship()
    items: Mapped[list[ManualItem]] = relationship(order_by="ManualItem.position")


class ManualItem(Base):
    """One line of the checklist."""

    __tablename__ = "manual_item"
    __table_args__ = (UniqueConstraint("task_id", "position"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("manual_task.id"))
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(SaidText)
    ticked_at: Mapped[datetime | None]
    ticked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
