"""What an auditor's account may see, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class AuditorMandate(Base):
    """One mandate. The last one of a person counts, also once it is over. Times are UTC, each end is exclusive."""

    __tablename__ = "auditor_mandate"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: Slugs of units, each with those below it, and of offerings; an empty list is all.
    units: Mapped[list[Any]] = mapped_column(default=list)
    offerings: Mapped[list[Any]] = mapped_column(default=list)
    #: Between which moments requests were made; empty is any time.
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    #: None where it came by the command line.
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime]
    #: When an administrator ended it before its last day.
    ended_at: Mapped[datetime | None]
