"""Reading offerings, versions, drafts and replays for their pages; texts only where they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from catalog.offerings.called import names_of
from catalog.offerings.model import Offering, OfferingVersion
from catalog.versions.drafting import NO_DRAFT
from catalog.versions.model import DraftState, OfferingDraft, OfferingReplay, PublishedReplay
from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.model import Person

#: Versions shown of one offering, the newest.
MOST_VERSIONS = 200


class OfferingLine(NamedTuple):
    """One offering in the list of its owners."""

    slug: str
    name: str
    number: int
    published_at: datetime
    retired: bool


class VersionLine(NamedTuple):
    """One version in the list of an offering's."""

    id: int
    number: int
    digest: str
    author: str | None
    publisher: str | None
    published_at: datetime
    replay_digest: str | None


class DraftLine(NamedTuple):
    """One draft that is being written."""

    id: int
    slug: str
    author_id: int
    author: str
    digest: str
    updated_at: datetime


_AUTHOR, _PUBLISHER = aliased(Person), aliased(Person)


def offerings(session: Session) -> Sequence[OfferingLine]:
    """Every offering with its newest version, by slug; one statement."""
    newest = (
        select(OfferingVersion.offering_id, func.max(OfferingVersion.number).label("number"))
        .group_by(OfferingVersion.offering_id)
        .subquery()
    )
    statement = (
        select(
            Offering.slug,
            OfferingVersion.digest,
            OfferingVersion.document["name"].as_string(),
            OfferingVersion.number,
            OfferingVersion.published_at,
            Offering.retired,
        )
        .join(newest, newest.c.offering_id == Offering.id)
        .join(
            OfferingVersion,
            (OfferingVersion.offering_id == Offering.id) & (OfferingVersion.number == newest.c.number),
        )
        .order_by(Offering.slug)
    )
    rows = session.execute(statement).all()
    called = names_of(session, ((digest, name) for _slug, digest, name, *_rest in rows))
    return tuple(OfferingLine(slug, called[digest], *rest) for slug, digest, _name, *rest in rows)


def versions_of(session: Session, slug: str) -> Sequence[VersionLine]:
    """The offering's versions, the newest first; one statement. Empty where there is no such offering."""
    statement = (
        select(
            OfferingVersion.id,
            OfferingVersion.number,
            OfferingVersion.digest,
            _AUTHOR.name,
            _PUBLISHER.name,
            OfferingVersion.published_at,
            PublishedReplay.digest,
        )
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .outerjoin(_AUTHOR, _AUTHOR.id == OfferingVersion.author_id)
        .outerjoin(_PUBLISHER, _PUBLISHER.id == OfferingVersion.publisher_id)
        .outerjoin(PublishedReplay, PublishedReplay.version_id == OfferingVersion.id)
        .where(Offering.slug == slug)
        .order_by(OfferingVersion.number.desc())
        .limit(MOST_VERSIONS)
    )
    return tuple(VersionLine(*row) for row in session.execute(statement))


def drafts_written(session: Session, slug: str | None = None) -> Sequence[DraftLine]:
    """Drafts that are being written, the latest first, of one offering or of all; one statement."""
    statement = (
        select(
            OfferingDraft.id,
            OfferingDraft.slug,
            OfferingDraft.author_id,
            Person.name,
            OfferingDraft.digest,
            OfferingDraft.updated_at,
        )
        .join(Person, Person.id == OfferingDraft.author_id)
        .where(OfferingDraft.state == DraftState.WRITING)
        .order_by(OfferingDraft.updated_at.desc(), OfferingDraft.id.desc())
        .limit(MOST_VERSIONS)
    )
    if slug is not None:
        statement = statement.where(OfferingDraft.slug == slug)
    return tuple(DraftLine(*row) for row in session.execute(statement))


def get_version(session: Session, slug: str, number: int) -> OfferingVersion:
    """The version of this number. Raises NotFound."""
    statement = (
        select(OfferingVersion)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(Offering.slug == slug, OfferingVersion.number == number)
    )
    found = session.scalar(statement)
    if found is None:
        raise NotFound(
            _("There is no such version of this offering. Look for it in the list of its versions.")
        )
    return found


def get_draft(session: Session, draft_id: int) -> tuple[OfferingDraft, str]:
    """The draft, whatever became of it, and its author's name; one statement. Raises NotFound."""
    statement = (
        select(OfferingDraft, Person.name)
        .join(Person, Person.id == OfferingDraft.author_id)
        .where(OfferingDraft.id == draft_id)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound(_(NO_DRAFT))
    return row[0], row[1]


def find_newest_version(session: Session, slug: str) -> OfferingVersion | None:
    """The offering's newest version, retired or not; one statement."""
    statement = (
        select(OfferingVersion)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(Offering.slug == slug)
        .order_by(OfferingVersion.number.desc())
        .limit(1)
    )
    return session.scalar(statement)


def find_latest_replay(
    session: Session, draft_id: int, digest: str, asked_by_id: int
) -> OfferingReplay | None:
    """The latest replay of this text: the person's own where there is one, else anybody's; one statement."""
    statement = (
        select(OfferingReplay)
        .where(OfferingReplay.draft_id == draft_id, OfferingReplay.digest == digest)
        .order_by((OfferingReplay.asked_by_id == asked_by_id).desc(), OfferingReplay.id.desc())
        .limit(1)
    )
    return session.scalar(statement)


def find_published_replay(session: Session, version_id: int) -> dict[str, Any] | None:
    """The replay that stays with the version; None for one that was published without."""
    return session.scalar(select(PublishedReplay.result).where(PublishedReplay.version_id == version_id))
