"""What is in the way of signing the ledger, kept while it is, so that operators see it and are told once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, EnumByValue
from portal.core.language import SaidText


class Cause(StrEnum):
    """Why nothing is signed."""

    #: The ledger does not contain what was signed before.
    REFUSED = "refused"
    #: The signer does not answer, or must be mended.
    AWAY = "away"


class SigningTrouble(Base):
    """The one row is there while checkpoints are due and cannot be made."""

    __tablename__ = "ledger_signing_trouble"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cause: Mapped[Cause] = mapped_column(EnumByValue(Cause))
    why: Mapped[str] = mapped_column(SaidText)
    since: Mapped[datetime]
    #: When operators were told; None while it may pass by itself.
    told_at: Mapped[datetime | None]
