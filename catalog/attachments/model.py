"""Attachments: who added which file to what. The content lies in the store, under its digest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Attachment(Base):
    """One file under one name. Without a request it belongs to a draft, and to nobody but its uploader."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("request_id", "digest", "name", "part"),
        Index("ix_attachment_uploader_digest", "uploader_id", "digest"),
        Index("ix_attachment_digest", "digest"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: `sha256:` and hex, of the content.
    digest: Mapped[str] = mapped_column(String(80))
    #: Bytes.
    size: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(120))
    uploader_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"), index=True)
    #: Which part of the request: `answers`, or the manual task whose proof it is, as `task:7`.
    part: Mapped[str] = mapped_column(String(40), default="")
