"""Entitlements: what is live on a target because a request allows it, and until when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class EntitlementState(StrEnum):
    """`ending` means that its removal is under way."""

    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"


class Entitlement(Base):
    """One live thing. `key` equals the connector's `Live.key`, so that record and target match both ways."""

    __tablename__ = "entitlement"
    __table_args__ = (
        Index("ix_entitlement_person_state", "person_id", "state"),
        Index("ix_entitlement_state_ends_at", "state", "ends_at"),
        Index("ix_entitlement_connector_key", "connector", "key"),
        Index("ix_entitlement_state_review_at", "state", "review_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    connector: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(400))
    label: Mapped[str] = mapped_column(SaidText)
    facts: Mapped[dict[str, Any]]
    state: Mapped[EntitlementState] = mapped_column(EnumByValue(EntitlementState))
    granted_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(SaidText, default="")
    #: The reference of the request that ended it, where one did.
    ended_by: Mapped[str] = mapped_column(String(20), default="")
    #: When holder and owner are asked whether it is still needed; None where it ends before that, or never.
    review_at: Mapped[datetime | None]


class EntitlementOwner(Base):
    """Who answers for what an entitlement opens, as routes say it: `group:<slug>` or `asset-owner:<id>`.

    Whose these are is read from the directory and the register each time.
    """

    __tablename__ = "entitlement_owner"
    __table_args__ = (Index("ix_entitlement_owner_rule_entitlement_id", "rule", "entitlement_id"),)

    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(120), primary_key=True)
