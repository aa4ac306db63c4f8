"""Publishing: an offering's text becomes an immutable version."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.offerings.checks import check_files
from catalog.offerings.fields import OneOfField, SomeOfField
from catalog.offerings.form_context import PORTAL
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.problems import OfferingFileError
from catalog.offerings.reading import read_offering
from catalog.offerings.tags import PUBLISHED
from portal.audit.record import record
from portal.core.clock import now
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class Published:
    """What came of one file; `new` is false where its version was the current one already."""

    slug: str
    number: int
    digest: str
    new: bool


def publish(
    session: Session,
    actor: Actor,
    source: str | bytes,
    filename: str,
    *,
    author_id: int | None = None,
    replay_digest: str | None = None,
) -> OfferingVersion:
    """The offering's current version with this text: a new one, or the present one where the digest is the same.

    The actor is the publisher, and the author too unless another is named. `replay_digest` is that of
    what past requests would have met with this text. Raises OfferingFileError.
    """
    document = read_offering(source, filename)
    offering = session.scalar(select(Offering).where(Offering.slug == document.slug).with_for_update())
    if offering is None:
        offering = Offering(slug=document.slug, retired=False)
        session.add(offering)
        session.flush()
    latest = session.scalar(
        select(OfferingVersion)
        .where(OfferingVersion.offering_id == offering.id)
        .order_by(OfferingVersion.number.desc())
        .limit(1)
    )
    digest = document.digest
    if latest is not None and latest.digest == digest and not offering.retired:
        return latest
    offering.retired = False
    version = OfferingVersion(
        offering=offering,
        number=(latest.number if latest else 0) + 1,
        digest=digest,
        document=document.to_json(),
        source=source if isinstance(source, str) else source.decode("utf-8-sig"),
        author_id=actor.person_id if author_id is None else author_id,
        publisher_id=actor.person_id,
        published_at=now(session),
    )
    session.add(version)
    session.flush()
    record(
        session,
        PUBLISHED,
        subject=f"offering:{document.slug}",
        actor=actor,
        facts={
            "slug": document.slug,
            "version": version.number,
            "digest": digest,
            "previous_digest": latest.digest if latest else None,
            "replay_digest": replay_digest,
            "author": _person(version.author_id),
            "publisher": _person(version.publisher_id),
        },
    )
    return version


def _person(person_id: int | None) -> str | None:
    return None if person_id is None else f"person:{person_id}"


def lacking(document: OfferingDocument, connectors: Container[object]) -> str:
    """The first connector that the offering needs for its steps or lists and that is not there; empty for none."""
    lists = [
        field.choices_from.connector
        for field in document.fields
        if isinstance(field, OneOfField | SomeOfField) and field.choices_from is not None
    ]
    needed = [*(step.connector for step in document.fulfilment), *lists]
    return next((name for name in needed if name != PORTAL and name not in connectors), "")


def publish_folder(
    session: Session, actor: Actor, folder: Path, *, connectors: Container[object] | None = None
) -> tuple[Published, ...]:
    """Publish every `*.yaml` of the folder, in order of their names; all of them or, on a problem, none.

    With `connectors`, those that need another one are left out: nobody could carry them out. Raises
    OfferingFileError with the problems of every file.
    """
    files = sorted(folder.glob("*.yaml"))
    problems = check_files(files)
    if problems:
        raise OfferingFileError(tuple(problems))
    published = []
    for file in files:
        document = read_offering(file.read_bytes(), file.name)
        if connectors is not None and lacking(document, connectors):
            continue
        before = session.scalar(select(func.count()).select_from(OfferingVersion))
        version = publish(session, actor, file.read_bytes(), file.name)
        after = session.scalar(select(func.count()).select_from(OfferingVersion))
        published.append(
            Published(version.offering.slug, version.number, version.digest, new=before != after)
        )
    return tuple(published)
