"""Standing approvals: playbooks that were signed in advance, and what each use of them went to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.offerings.model import OfferingVersion
from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText
from portal.identity.model import Person


class StandingState(StrEnum):
    """Only one that is in force allows anything; its uses and its end date are looked at beside it."""

    PROPOSED = "proposed"
    IN_FORCE = "in-force"
    REVOKED = "revoked"


class StandingApproval(Base):
    """So many requests of one offering version, within a scope, until a day, without asking anybody again.

    `digest` covers everything that the signers agree to; nothing under it is ever changed.
    """

    __tablename__ = "standing_approval"
    __table_args__ = (
        Index("ix_standing_approval_offering_id_state", "offering_id", "state"),
        CheckConstraint("used <= uses", name="uses"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    offering_version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"))
    name: Mapped[str] = mapped_column(String(120))
    #: What it is for, and what is done by it.
    reason: Mapped[str] = mapped_column(Text)
    #: A CEL condition over the facts of a request.
    scope: Mapped[str] = mapped_column(Text)
    uses: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, default=0)
    #: From this instant on it allows nothing more.
    ends_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(80))
    state: Mapped[StandingState] = mapped_column(EnumByValue(StandingState))
    proposer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    in_force_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    revoked_because: Mapped[str] = mapped_column(Text, default="")

    version: Mapped[OfferingVersion] = relationship()
    proposer: Mapped[Person] = relationship(foreign_keys=[proposer_id])


class StandingSignature(Base):
    """One signer's agreement to the digest, and how they had signed in."""

    __tablename__ = "standing_signature"
    __table_args__ = (UniqueConstraint("standing_id", "person_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    standing_id: Mapped[int] = mapped_column(ForeignKey("standing_approval.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    digest: Mapped[str] = mapped_column(String(80))
    #: As in a route, so that the right can be computed again with every use.
    rule: Mapped[str] = mapped_column(String(200))
    relation: Mapped[str] = mapped_column(SaidText)
    signed_at: Mapped[datetime]
    auth_time: Mapped[datetime]
    acr: Mapped[str] = mapped_column(String(200), default="")
    amr: Mapped[list[Any]] = mapped_column(default=list)


class StandingUse(Base):
    """The request that one use went to. A request that is planned again spends no second one."""

    __tablename__ = "standing_use"
    __table_args__ = (UniqueConstraint("standing_id", "request_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    standing_id: Mapped[int] = mapped_column(ForeignKey("standing_approval.id"))
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    spent_at: Mapped[datetime]
