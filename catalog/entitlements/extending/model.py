"""Extensions: requests that move the end of what somebody has, and bring nothing new."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base


class Extension(Base):
    """That a request extends an entitlement. `applied_at` is set when the end was moved."""

    __tablename__ = "extension"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    entitlement_id: Mapped[int] = mapped_column(ForeignKey("entitlement.id"), index=True)
    #: The end (UTC) that the entitlement had when it was asked for, and the one that was asked for.
    ended_before: Mapped[datetime]
    until: Mapped[datetime]
    applied_at: Mapped[datetime | None]
