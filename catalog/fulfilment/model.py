"""Steps of a fulfilment and the files they bring."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class StepState(StrEnum):
    """How far a step has come.

    `applying` means that its outcome is unknown until the target is read; `waiting-for-people` that a manual task
    is open, whose end has the fulfilment run again; `undoing` that it is to be taken back; `not-reverted` that it
    is still on its target, because it could not be.
    """

    WAITING = "waiting"
    APPLYING = "applying"
    WAITING_FOR_PEOPLE = "waiting-for-people"
    APPLIED = "applied"
    DONE = "done"
    UNDOING = "undoing"
    REVERTED = "reverted"
    NOT_REVERTED = "not-reverted"
    FAILED = "failed"


class Step(Base):
    """One step: a sealed plan, what was done, what was read back."""

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("request_id", "revision", "attempt", "position"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    revision: Mapped[int] = mapped_column(Integer)
    #: 1, or one more each time that an operator had a failed and reverted fulfilment tried again.
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    connector: Mapped[str] = mapped_column(String(40))
    #: Plan.to_json() as sealed.
    plan: Mapped[dict[str, Any]]
    #: Made from reference, step, seal and attempt; the connector acts at most once on it.
    key: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[StepState] = mapped_column(EnumByValue(StepState))
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    read_back: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(SaidText, default="")
    #: The target is no longer as it was when the plan was sealed: revert what was done and ask again.
    drifted: Mapped[bool] = mapped_column(Boolean, default=False)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: When the one-time secret that the step set was shown to the beneficiary.
    secret_shown_at: Mapped[datetime | None]


class Artefact(Base):
    """A file that fulfilment made for the requester, such as a certificate."""

    __tablename__ = "artefact"
    __table_args__ = (UniqueConstraint("step_id", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"))
    name: Mapped[str] = mapped_column(String(120))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(80))


class ByHandState(StrEnum):
    """Whether a second operator has said yes or no to what the first one says was done by hand."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class ByHand(Base):
    """What one operator says was done, or undone, by hand, with proof; it counts when a second one confirms it."""

    __tablename__ = "by_hand"
    __table_args__ = (
        # One claim at a time: the database itself refuses a second one that is open.
        Index(
            "uq_by_hand_open_step",
            "step_id",
            unique=True,
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"), index=True)
    #: Whether it was undone, not done.
    undone: Mapped[bool] = mapped_column(Boolean, default=False)
    state: Mapped[ByHandState] = mapped_column(EnumByValue(ByHandState))
    proof: Mapped[str] = mapped_column(Text)
    claimed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    claimed_at: Mapped[datetime]
    #: What the target says of it: empty until it was asked, `present` None where it cannot say.
    target: Mapped[dict[str, Any]] = mapped_column(default=dict)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    #: Why it was declined.
    words: Mapped[str] = mapped_column(Text, default="")


class ConnectorCall(Base):
    """A question to a connector whose secrets another process holds, and its answer, until whoever asked has read it."""

    __tablename__ = "connector_call"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    connector: Mapped[str] = mapped_column(String(40))
    call: Mapped[str] = mapped_column(String(40))
    question: Mapped[list[Any]]
    #: None until it is answered.
    answer: Mapped[dict[str, Any] | None]
    asked_at: Mapped[datetime] = mapped_column(index=True)
    #: When whoever asked stops waiting; nothing is done for them after that.
    until: Mapped[datetime]
