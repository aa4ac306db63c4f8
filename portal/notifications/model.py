"""Messages as they were written, waiting to be sent or sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Message(Base):
    """One mail to one person. Its Message-ID is fixed when it is written, so that a retry is the same mail."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    event: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    subject_line: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    #: What it is about and where it leads, for the mail of a day; empty where there is none.
    reference: Mapped[str] = mapped_column(String(20), default="")
    path: Mapped[str] = mapped_column(String(400), default="")
    #: Set while it waits for its reader's mail of the day, and then is when that is due; such a one is not sent itself.
    held_until: Mapped[datetime | None] = mapped_column(index=True)
    #: A text that goes along as a file; empty for none.
    file_name: Mapped[str] = mapped_column(String(120), default="")
    file_text: Mapped[str] = mapped_column(Text, default="")
    #: The checkpoint holder that has what is in the file once this was sent; empty for any other mail.
    holder: Mapped[str] = mapped_column(String(60), default="")
