"""What becomes of an open stage with time: reminders, escalation, expiry, each a row until it has happened."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class TimerKind(StrEnum):
    """What happens when it is due."""

    REMIND = "remind"
    ESCALATE = "escalate"
    EXPIRE = "expire"


class StageTimer(Base):
    """One thing that will happen to a stage if it is still open then; deleted in the transaction in which it does.

    `due_at` is worked out from `minutes` again before anything happens, because people's absences change.
    """

    __tablename__ = "stage_timer"
    __table_args__ = (UniqueConstraint("stage_id", "kind", "minutes"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    stage_id: Mapped[int] = mapped_column(ForeignKey("stage.id"))
    kind: Mapped[TimerKind] = mapped_column(EnumByValue(TimerKind))
    #: Working minutes of the approvers since the stage opened.
    minutes: Mapped[int] = mapped_column(Integer)
    #: What the request's clock had stood still by then, in working minutes; what it stands still later is added.
    paused_minutes: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime] = mapped_column(index=True)
