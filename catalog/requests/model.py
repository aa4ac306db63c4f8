"""Requests and the drafts that they grow from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.offerings.model import OfferingVersion
from catalog.requests.states import State
from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText
from portal.identity.model import Person


class Draft(Base):
    """What a person has typed so far for one offering; answers are raw, as the form sent them."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    offering_version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"))
    answers: Mapped[dict[str, Any]]
    #: The number of the last save of each page that saved lately, by the page's own name, the latest page last.
    saves: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime]
    #: Set when the draft was submitted: the same form posted twice makes one request.
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"), unique=True)
    #: The same, where it was submitted for several people at once.
    order_group_id: Mapped[int | None] = mapped_column(ForeignKey("order_group.id"), unique=True)


class OrderGroup(Base):
    """Requests that were made by one order: for several people, or from a file. A request of its own each."""

    __tablename__ = "order_group"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: The draft's or the file's; sent twice it makes one order.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    offering_version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"))
    created_at: Mapped[datetime]


class Request(Base):
    """One person's order of an offering. `reference` is SR-000001 and so on, without a gap."""

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_requester_number", "requester_id", "number"),
        Index("ix_request_state_number", "state", "number"),
        Index("ix_request_unit_id_number", "unit_id", "number"),
        Index("ix_request_promised_by", "promised_by"),
        UniqueConstraint("reference"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    reference: Mapped[str] = mapped_column(String(20))
    offering_version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"), index=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: Who last changed the answers; cannot approve them.
    editor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    #: The order that it was made by together with others, if any.
    order_group_id: Mapped[int | None] = mapped_column(ForeignKey("order_group.id"), index=True)
    #: One line that tells this request from others of the same offering, in every language.
    title: Mapped[str] = mapped_column(SaidText)
    reason: Mapped[str] = mapped_column(Text, default="")
    #: Checked answers as JSON values, by field name.
    answers: Mapped[dict[str, Any]]
    #: Equal for open requests that ask for the same; empty where the offering names no fields for it.
    likeness: Mapped[str] = mapped_column(String(80), default="", index=True)
    state: Mapped[State] = mapped_column(EnumByValue(State))
    #: Counts preparations; every approval belongs to one.
    revision: Mapped[int] = mapped_column(Integer, default=0)
    submitted_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    promised_by: Mapped[datetime | None]
    #: Set once, when the promise passed without an end; the owners of the offering were told then.
    promise_missed_at: Mapped[datetime | None]
    #: While the requester is asked something the promise's clock stands still; what it stood still is kept in
    #: working minutes.
    paused_since: Mapped[datetime | None]
    paused_minutes: Mapped[int] = mapped_column(Integer, default=0)
    # What preparing found; all of it is under the seal.
    risk: Mapped[dict[str, Any]] = mapped_column(default=dict)
    plans: Mapped[list[Any]] = mapped_column(default=list)
    route: Mapped[list[Any]] = mapped_column(default=list)
    seal: Mapped[str] = mapped_column(String(80), default="")
    sealed_at: Mapped[datetime | None]
    # The baton: who must act, since when, by when.
    baton: Mapped[str] = mapped_column(SaidText, default="")
    baton_since: Mapped[datetime | None]
    baton_due: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: Why it was refused, rejected, withdrawn or failed, in words for the requester.
    outcome: Mapped[str] = mapped_column(SaidText, default="")

    version: Mapped[OfferingVersion] = relationship()
    requester: Mapped[Person] = relationship(foreign_keys=[requester_id])
    beneficiary: Mapped[Person] = relationship(foreign_keys=[beneficiary_id])


class Counter(Base):
    """A number that is handed out in order and inside the transaction, so that none is ever skipped."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)
