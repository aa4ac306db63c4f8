"""Evidence files that were made, so that the same facts are not rendered again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class EvidenceFile(Base):
    """One file in the evidence folder, named by its digest. It can be made again, byte for byte, from its facts."""

    __tablename__ = "evidence_file"
    __table_args__ = (UniqueConstraint("request_id", "story", "language"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    #: Digest of all that the file tells but for the checkpoint; the same story needs no other file.
    story: Mapped[str] = mapped_column(String(80))
    #: The language of its pages; its facts are the same in every one.
    language: Mapped[str] = mapped_column(String(16))
    #: The checkpoint that the proofs lead to.
    checkpoint_size: Mapped[int] = mapped_column(Key)
    #: The note as the file carries it, with the cosignatures of the witnesses who had signed by then.
    note: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(80), index=True)
    bytes: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[datetime]
