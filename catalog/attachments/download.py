"""Giving a file out: to who may see its request, with an entry in the ledger."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.attachments import tags
from catalog.attachments.model import Attachment
from catalog.attachments.queries import get_attachment
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.identity.actor import Actor


def fetch(session: Session, actor: Actor, request: Request, attachment_id: int) -> Attachment:
    """The file, written down as fetched by the actor, who may see the request. Raises NotFound."""
    found = get_attachment(session, request.id, attachment_id)
    record(
        session,
        tags.FETCHED,
        subject=subject_of(request),
        actor=actor,
        facts={"digest": found.digest, "part": found.part},
        personal={"name": found.name},
    )
    return found
