"""One round of verification: how far it came and what did not fit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class VerificationRound(Base):
    """`whole` says that every entry was read; else the round went on from where one had come to."""

    __tablename__ = "verification_round"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    whole: Mapped[bool]
    entries: Mapped[int] = mapped_column(Key)
    #: Sentences in English, the first ones of what was found; empty when all fits.
    findings: Mapped[list[Any]]
