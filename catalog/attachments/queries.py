"""Reading attachments: a person's own uploads, and the files of one request."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.attachments.references import FileReference
from portal.core.errors import NotFound
from portal.core.language import _


def find_upload(session: Session, person_id: int, file: FileReference) -> Attachment | None:
    """What this person themselves has uploaded under this name; nobody else's, whatever its digest."""
    statement = select(Attachment).where(
        Attachment.uploader_id == person_id, Attachment.digest == file.digest, Attachment.name == file.name
    )
    return session.scalars(statement.order_by(Attachment.id).limit(1)).one_or_none()


def kind_of_upload(session: Session, person_id: int, file: FileReference) -> str | None:
    """The kind of a file that this person has uploaded, or None."""
    found = find_upload(session, person_id, file)
    return found.kind if found else None


def attachments_of(session: Session, request_id: int) -> Sequence[Attachment]:
    """Every file of the request, its answers' first, as they were added."""
    statement = select(Attachment).where(Attachment.request_id == request_id).order_by(Attachment.id)
    return session.scalars(statement).all()


def get_attachment(session: Session, request_id: int, attachment_id: int) -> Attachment:
    """One file of the request. Raises NotFound, also for a file of another request."""
    found = session.get(Attachment, attachment_id)
    if found is None or found.request_id != request_id:
        raise NotFound(_("There is no such file, or it is not yours to see."))
    return found
