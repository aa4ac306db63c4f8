"""Audits: what was ordered, what was counted, each draw of the sample, and the files that came of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText
from portal.identity.model import Person


class AuditState(StrEnum):
    """Where the counting of an audit stands."""

    COUNTING = "counting"
    COUNTED = "counted"
    FAILED = "failed"


class DrawState(StrEnum):
    """Where the making of a draw's report stands."""

    MAKING = "making"
    MADE = "made"
    FAILED = "failed"


class Audit(Base):
    """One order: the period, what is looked at, and, once it is counted, what there is. `reference` is AR-000001 and so on."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    #: Nobody where the command line ordered it.
    ordered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ordered_at: Mapped[datetime]
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    #: The first moment after the period; of a last day that was not over yet, when it was ordered.
    until: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    #: Slugs, those of units below a chosen one among them, and "framework identifier"; empty is everything.
    units: Mapped[list[Any]] = mapped_column(default=list)
    offerings: Mapped[list[Any]] = mapped_column(default=list)
    controls: Mapped[list[Any]] = mapped_column(default=list)
    #: How large the sample is, as audit.json states it.
    rule: Mapped[dict[str, Any]]
    language: Mapped[str] = mapped_column(String(16))
    disclosure: Mapped[str] = mapped_column(String(16))
    state: Mapped[AuditState] = mapped_column(EnumByValue(AuditState))
    #: Why it failed, in words.
    why: Mapped[str] = mapped_column(SaidText, default="")
    #: How often it was tried; a further try is another task.
    tries: Mapped[int] = mapped_column(Integer, default=1)
    # What was counted, under which heads of the ledger.
    before_size: Mapped[int | None] = mapped_column(Key)
    after_size: Mapped[int | None] = mapped_column(Key)
    #: Base64, as checkpoints have it.
    root: Mapped[str] = mapped_column(String(64), default="")
    as_of: Mapped[datetime | None]
    count: Mapped[int | None] = mapped_column(Integer)
    population_digest: Mapped[str] = mapped_column(String(80), default="")
    sample_size: Mapped[int | None] = mapped_column(Integer)

    ordered_by: Mapped[Person | None] = relationship()


class AuditFacts(Base):
    """What was gathered when the audit was counted; kept beside it, because a page of audits needs none of it."""

    __tablename__ = "audit_facts"

    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), primary_key=True)
    completeness: Mapped[dict[str, Any]]
    sections: Mapped[dict[str, Any]]
    #: Names by slug, as they were then.
    units: Mapped[dict[str, Any]]
    offerings: Mapped[dict[str, Any]]


class AuditRow(Base):
    """One request of an audit's population, as it was told when it was counted; `position` counts from 0."""

    __tablename__ = "audit_row"

    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    #: The row of audit.json in canonical JSON.
    body: Mapped[str] = mapped_column(Text)


class AuditDraw(Base):
    """One sample of an audit: the auditor's word, which requests it chose, and how far its report has come."""

    __tablename__ = "audit_draw"
    __table_args__ = (UniqueConstraint("audit_id", "number"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"))
    number: Mapped[int] = mapped_column(Integer)
    nonce: Mapped[str] = mapped_column(String(200))
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime]
    #: References in the order in which they were drawn.
    drawn: Mapped[list[Any]]
    state: Mapped[DrawState] = mapped_column(EnumByValue(DrawState))
    why: Mapped[str] = mapped_column(SaidText, default="")
    tries: Mapped[int] = mapped_column(Integer, default=1)
    #: Steps of the making; see reports.audits.making.
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    #: The head under which the entries are proven; set once, so that a further try tells the same.
    made_size: Mapped[int | None] = mapped_column(Key)
    made_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    audit: Mapped[Audit] = relationship()


class AuditFile(Base):
    """A file of a draw, kept in the folder of audits by its digest. `name` is its name in the bundle."""

    __tablename__ = "audit_file"

    draw_id: Mapped[int] = mapped_column(ForeignKey("audit_draw.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    digest: Mapped[str] = mapped_column(String(80))
    bytes: Mapped[int] = mapped_column(Key)
