"""Who holds what: one row for each holder, and what witnesses signed beside us."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.append_only import append_only
from portal.core.database import Base, Key
from portal.core.language import SaidText


class HolderState(Base):
    """What one holder was given and has, and how the last try went. A holder without a row was never tried."""

    __tablename__ = "checkpoint_holder"

    #: What the settings make of it: "folder", "git", "mail-1f2e3d4c", "witness-0a1b2c3d".
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: The last size that it has for certain, and since when; 0 and None for none.
    size: Mapped[int] = mapped_column(Key, default=0)
    held_at: Mapped[datetime | None]
    #: The last size that it was given. A mail is given long before it has arrived.
    given: Mapped[int] = mapped_column(Key, default=0)
    #: Where it stands in the holder's own words, such as a commit of git; empty for none.
    position: Mapped[str] = mapped_column(String(80), default="")
    #: Tries since the last that went well, and what the last one said.
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(SaidText)
    tried_at: Mapped[datetime | None]
    #: Not before this; None for at once.
    next_at: Mapped[datetime | None]
    #: Since when it says that the ledger is another one.
    contradicts_since: Mapped[datetime | None]


class Cosignature(Base):
    """A witness's signature under a checkpoint that is kept; checkpoints themselves never change."""

    __tablename__ = "checkpoint_cosignature"

    size: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: Eight hex digits: which key of the witness.
    key_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    #: The note's signature line, without its end.
    line: Mapped[str] = mapped_column(Text)
    #: When the witness says that it saw the head, and when its word came here.
    seen_at: Mapped[datetime]
    received_at: Mapped[datetime]


append_only(Base.metadata.tables["checkpoint_cosignature"])
