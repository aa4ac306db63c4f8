"""What people may look something up by: an index of every name that a request or a finding is known under."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Trace(Base):
    """One name of one thing that is or was live, and since when until when (UTC).

    Exactly one of the three numbers says of what: an entitlement, a step of a request that brought nothing to life,
    or a finding that no request explains. Networks and ports are ranges as well, `first` to `last`, written so that
    text compares as numbers do.
    """

    __tablename__ = "trace"
    __table_args__ = (
        Index("ix_trace_kind_value", "kind", "value"),
        Index("ix_trace_kind_first_last", "kind", "first", "last"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(400))
    first: Mapped[str | None] = mapped_column(String(40))
    last: Mapped[str | None] = mapped_column(String(40))
    entitlement_id: Mapped[int | None] = mapped_column(ForeignKey("entitlement.id"), index=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("finding.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
