"""What the pages of offerings and their versions show: plain values, times in the reader's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.versions.difference import Chapter, difference, source_of, unified
from catalog.versions.queries import DraftLine, OfferingLine, VersionLine
from catalog.versions.report import Report
from catalog.versions.told import Told, told
from portal.core.language import N_, _
from portal.identity.actor import Actor

BY_COMMAND = N_("by command")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the page, and when."""

    actor: Actor
    at: datetime

    def local(self, moment: datetime) -> datetime:
        """The moment in the reader's zone."""
        return moment.astimezone(ZoneInfo(self.actor.timezone))

    @property
    def now(self) -> datetime:
        """The time in the reader's zone."""
        return self.local(self.at)


@dataclass(frozen=True, slots=True)
class DraftItem:
    """One draft in a list."""

    id: int
    slug: str
    author: str
    updated_at: datetime
    reads: bool


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Every offering, and every draft."""

    offerings: tuple[tuple[str, str, int, datetime, bool], ...]
    drafts: tuple[DraftItem, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class VersionItem:
    """One version in a list."""

    number: int
    digest: str
    author: str
    publisher: str
    published_at: datetime
    replayed: bool


@dataclass(frozen=True, slots=True)
class OfferingVersions:
    """One offering's versions and drafts."""

    slug: str
    name: str
    versions: tuple[VersionItem, ...]
    drafts: tuple[DraftItem, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version."""

    slug: str
    name: str
    item: VersionItem
    source: str
    replay: Told | None
    now: datetime


@dataclass(frozen=True, slots=True)
class DifferencePage:
    """Two versions against each other."""

    slug: str
    name: str
    before: int
    after: int
    numbers: tuple[int, ...]
    chapters: tuple[Chapter, ...]
    lines: str


def index_page(offerings: Sequence[OfferingLine], drafts: Sequence[DraftLine], reader: Reader) -> IndexPage:
    """The list."""
    return IndexPage(
        tuple((o.slug, o.name, o.number, reader.local(o.published_at), o.retired) for o in offerings),
        _drafts(drafts, reader),
        reader.now,
    )


def offering_page(
    reader: Reader, slug: str, name: str, versions: Sequence[VersionLine], drafts: Sequence[DraftLine]
) -> OfferingVersions:
    """One offering."""
    return OfferingVersions(
        slug,
        name,
        tuple(_version(line, reader) for line in versions),
        _drafts(drafts, reader),
        reader.now,
    )


def version_page(
    slug: str,
    found: OfferingVersion,
    line: VersionLine | None,
    replay: dict[str, Any] | None,
    reader: Reader,
) -> VersionPage:
    """One version; `line` is missing only for one that is older than those listed."""
    line = line or VersionLine(found.id, found.number, found.digest, None, None, found.published_at, None)
    return VersionPage(
        slug,
        document_of(found).spoken().name,
        _version(line, reader),
        source_of_version(found),
        told(Report.from_json(replay)) if replay else None,
        reader.now,
    )


def difference_page(
    slug: str, before: OfferingVersion, after: OfferingVersion, numbers: Sequence[int]
) -> DifferencePage:
    """Two versions. Raises ChangedText where one was tampered with."""
    return DifferencePage(
        slug,
        document_of(after).spoken().name,
        before.number,
        after.number,
        tuple(numbers),
        difference(document_of(before), document_of(after)),
        unified(
            source_of_version(before),
            source_of_version(after),
            names=(
                _("version %(number)s", number=before.number),
                _("version %(number)s", number=after.number),
            ),
        ),
    )


def source_of_version(version: OfferingVersion) -> str:
    """The text as it was published."""
    return source_of(version.source, version.document)


def _drafts(drafts: Sequence[DraftLine], reader: Reader) -> tuple[DraftItem, ...]:
    return tuple(
        DraftItem(line.id, line.slug, line.author, reader.local(line.updated_at), bool(line.digest))
        for line in drafts
    )


def _version(line: VersionLine, reader: Reader) -> VersionItem:
    return VersionItem(
        line.number,
        line.digest,
        line.author or _(BY_COMMAND),
        line.publisher or _(BY_COMMAND),
        reader.local(line.published_at),
        line.replay_digest is not None,
    )
