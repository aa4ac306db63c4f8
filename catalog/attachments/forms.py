"""Files that come with a form: received before the transaction, added to the answers in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flask import request
from sqlalchemy.orm import Session

from catalog.attachments.receive import MIB, Received, keep_uploads, receive
from catalog.attachments.store import Store
from catalog.offerings.field_records import FileField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.posted import FILE_SUFFIX, Posted, posted
from portal.core.errors import FieldError
from portal.core.http import services, settings, transaction
from portal.identity.access import current_actor


@dataclass(slots=True)
class SentFiles:
    """What was taken, by the field's name, and what could not be."""

    taken: dict[str, list[Received]] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)


def takes_files(document: OfferingDocument) -> bool:
    """Whether the offering asks for files."""
    return any(isinstance(question, FileField) for question in document.fields)


def sent_files(document: OfferingDocument) -> SentFiles:
    """Check and store the files of this web request; not to be called inside a transaction. Raises Unavailable."""
    sent = SentFiles()
    store = services().get(Store)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
    for question in document.fields:
        if isinstance(question, FileField):
            taken, refused = receive(
                request.files.getlist(question.name + FILE_SUFFIX),
                kinds=question.kinds,
                most_bytes=min(question.largest_mib * MIB, settings().attachment_bytes),
                store=store,
            )
            sent.taken[question.name] = taken
            sent.errors += [FieldError(question.name, " ".join(refused))] if refused else []
    return sent


def with_files(session: Session, answers: Posted, sent: SentFiles, person_id: int) -> Posted:
    """What was posted, with the files added to those that the form named already."""
    raw = dict(answers.raw)
    for name, taken in sent.taken.items():
        before = raw.get(name) or []
        kept = [before] if isinstance(before, str) else list(before)
        new = [str(file) for file in keep_uploads(session, person_id, taken)]
        # A form that was sent without files says the same as one that its page saved.
        if kept or new:
            raw[name] = list(dict.fromkeys([*kept, *new]))
    return replace(answers, raw=raw, errors=(*answers.errors, *sent.errors))


def posted_with_files(document: OfferingDocument) -> Posted:
    """What this web request's form says, its files kept for the person who sent it. Raises Unavailable."""
    sent = posted(document, request.form, request.files)
    if not takes_files(document):
        return sent
    files = sent_files(document)
    with transaction() as session:
        return with_files(session, sent, files, current_actor().person_id or 0)


def uploading() -> bool:
    """Whether the button was pressed that only uploads, and keeps the form open."""
    return request.form.get("_do") == "upload"
