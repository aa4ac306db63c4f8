"""Attaching: what a request's answers name, or a manual task's proof, becomes part of the request."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.attachments import tags
from catalog.attachments.model import Attachment
from catalog.attachments.queries import find_upload
from catalog.attachments.references import FileReference, references_in
from catalog.offerings.queries import document_of
from catalog.requests.events import RequestPlanned, RequestSubmitted
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.core.language import _
from portal.identity.actor import PORTAL, Actor

ANSWERS = "answers"


def on_submitted(session: Session, event: RequestSubmitted) -> None:
    """The files that the answers name belong to the request from now on, in the same transaction."""
    _attach_answers(session, session.get_one(Request, event.request_id))


def on_planned(session: Session, event: RequestPlanned) -> None:
    """The answers may have been edited since; what an earlier version named stays with the request."""
    _attach_answers(session, session.get_one(Request, event.request_id))


def attach(
    session: Session,
    actor: Actor,
    request: Request,
    files: Iterable[FileReference],
    *,
    part: str,
    uploader_id: int,
) -> None:
    """Make a person's uploads part of the request, each once. Raises Conflict for one that is not there."""
    known = {
        (row.name, row.digest)
        for row in session.scalars(
            select(Attachment).where(Attachment.request_id == request.id, Attachment.part == part)
        )
    }
    for file in files:
        if (file.name, file.digest) in known:
            continue
        upload = find_upload(session, uploader_id, file)
        if upload is None:
            raise Conflict(_("“%(name)s” is not there any more. Choose the file again.", name=file.name))
        known.add((file.name, file.digest))
        session.add(
            Attachment(
                digest=upload.digest,
                size=upload.size,
                kind=upload.kind,
                name=upload.name,
                uploader_id=uploader_id,
                created_at=now(session),
                request_id=request.id,
                part=part,
            )
        )
        record(
            session,
            tags.ADDED,
            subject=subject_of(request),
            actor=actor,
            facts={
                "digest": upload.digest,
                "size": upload.size,
                "kind": upload.kind,
                "part": part,
                "by": f"person:{uploader_id}",
            },
            personal={"name": upload.name},
        )
    session.flush()


def _attach_answers(session: Session, request: Request) -> None:
    document = document_of(request.version)
    files = [
        file
        for field in document.fields
        if field.kind == "file"
        for file in references_in(request.answers.get(field.name))
    ]
    if files:
        attach(session, PORTAL, request, files, part=ANSWERS, uploader_id=request.editor_id)
