"""What an author writes before it is published, what past requests would meet with it, and what was known then."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.append_only import append_only
from portal.core.database import Base, EnumByValue, Key
from portal.core.language import SaidText


class DraftState(StrEnum):
    """Where a draft is; one that is published or discarded changes no more."""

    WRITING = "writing"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class OfferingDraft(Base):
    """A text that may become an offering's next version. It is kept as it is typed, also when it cannot be read."""

    __tablename__ = "offering_draft"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    source: Mapped[str] = mapped_column(Text)
    #: As OfferingVersion.digest; empty while the text has problems.
    digest: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[DraftState] = mapped_column(EnumByValue(DraftState))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version_id: Mapped[int | None] = mapped_column(ForeignKey("offering_version.id"))


class ReplayState(StrEnum):
    """Where a replay is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class OfferingReplay(Base):
    """Past requests run through one text of a draft. `digest` is the text's, `base_digest` the version's in force."""

    __tablename__ = "offering_replay"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("offering_draft.id"), index=True)
    digest: Mapped[str] = mapped_column(String(80))
    base_digest: Mapped[str] = mapped_column(String(80), default="")
    #: Who asked for it and, unless they wrote the text, counts as its publisher: publishers cannot approve.
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[ReplayState] = mapped_column(EnumByValue(ReplayState))
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    #: catalog.versions.report.Report as JSON, and its digest; empty until it is done.
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result_digest: Mapped[str] = mapped_column(String(80), default="")
    #: Why it failed, in a sentence.
    why: Mapped[str] = mapped_column(SaidText, default="")


class PublishedReplay(Base):
    """The replay that the publisher had before them; stays with the version as it was."""

    __tablename__ = "published_replay"

    version_id: Mapped[int] = mapped_column(ForeignKey("offering_version.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(80))
    result: Mapped[dict[str, Any]]


append_only(Base.metadata.tables["published_replay"])
