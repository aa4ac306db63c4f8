"""Reading published offerings: always a constant number of statements."""

from __future__ import annotations

import json

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import Offering, OfferingVersion
from portal.core.canonical import digest
from portal.core.errors import NotFound, PortalError
from portal.core.language import N_, _

MOST_KEPT = 512
NO_SUCH_SERVICE = N_(
    "There is no such service in the catalogue. Look for it in the catalogue; it may have been renamed."
)
_documents: dict[str, OfferingDocument] = {}


class ChangedText(PortalError):
    """The text of a published version was changed behind the portal's back."""

    status = 500
    title = N_("This offering was tampered with")

    def __init__(self, version: OfferingVersion) -> None:
        super().__init__(
            _("The text of this offering is not the one that was published. Tell the security office.")
        )
        self.version_id = version.id


def published_versions(session: Session) -> tuple[OfferingVersion, ...]:
    """The current version of every offering that is not retired, by slug; one statement."""
    newest = (
        select(OfferingVersion.offering_id, func.max(OfferingVersion.number).label("number"))
        .group_by(OfferingVersion.offering_id)
        .subquery()
    )
    query = (
        select(OfferingVersion)
        .join(
            newest,
            (OfferingVersion.offering_id == newest.c.offering_id)
            & (OfferingVersion.number == newest.c.number),
        )
        .join(OfferingVersion.offering)
        .where(Offering.retired.is_(False))
        .options(joinedload(OfferingVersion.offering))
        .order_by(Offering.slug)
    )
    return tuple(session.scalars(query))


def find_current_version(session: Session, slug: str) -> OfferingVersion | None:
    """The newest version of this offering unless it is retired; one statement."""
    query = (
        select(OfferingVersion)
        .join(OfferingVersion.offering)
        .where(Offering.slug == slug, Offering.retired.is_(False))
        .options(joinedload(OfferingVersion.offering))
        .order_by(OfferingVersion.number.desc())
        .limit(1)
    )
    return session.scalar(query)


def get_current_version(session: Session, slug: str) -> OfferingVersion:
    """As find_current_version. Raises NotFound with a sentence for the catalogue's visitors."""
    version = find_current_version(session, slug)
    if version is None:
        raise NotFound(_(NO_SUCH_SERVICE))
    return version


def document_of(version: OfferingVersion) -> OfferingDocument:
    """The version's document, read and checked against its digest once in a process.

    Raises ChangedText when the row no longer holds what was published: nothing may go on by such rules.
    """
    document = _documents.get(version.digest)
    if document is None:
        if digest(version.document) != version.digest:
            raise ChangedText(version)
        document = OfferingDocument.model_validate_json(json.dumps(version.document))
        if len(_documents) >= MOST_KEPT:
            _documents.clear()
        _documents[version.digest] = document
    return document
