"""Legal holds: what is neither erased nor retired, by whose word, and since when."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue, Key


class HoldKind(StrEnum):
    """What a hold is on."""

    PERSON = "person"
    REQUEST = "request"
    #: A unit and those below it.
    UNIT = "unit"
    #: Requests that were submitted on these days, both ends included (UTC).
    PERIOD = "period"


class LegalHold(Base):
    """One hold. It takes another person to lift it than the one who placed it."""

    __tablename__ = "legal_hold"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[HoldKind] = mapped_column(EnumByValue(HoldKind))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    first_day: Mapped[date | None] = mapped_column(Date)
    last_day: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    lifted_at: Mapped[datetime | None]
    lifted_because: Mapped[str] = mapped_column(Text, default="")
