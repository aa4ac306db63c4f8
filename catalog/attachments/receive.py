"""Receiving files: checked and stored before the transaction, written down in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from sqlalchemy.orm import Session

from catalog.attachments.kinds import kind_of
from catalog.attachments.model import Attachment
from catalog.attachments.names import clean_name
from catalog.attachments.queries import find_upload
from catalog.attachments.references import FileReference
from catalog.attachments.store import Store
from portal.core.clock import now
from portal.core.language import _
from portal.core.times import size

MIB = 1024 * 1024
#: Files of one field in one sending; each field's own limit is smaller or the same.
MOST_AT_ONCE = 20


class Upload(Protocol):
    """One sent file, as the web framework gives it."""

    @property
    def filename(self) -> str | None:
        """The name as the browser sent it."""
        ...

    @property
    def stream(self) -> IO[bytes]:
        """The content."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """A file whose content was checked and is in the store."""

    name: str
    digest: str
    size: int
    kind: str


def receive(
    uploads: Iterable[Upload], *, kinds: Sequence[str], most_bytes: int, store: Store
) -> tuple[list[Received], list[str]]:
    """The files that can be taken, and a sentence for each that cannot. Raises Unavailable.

    Call it outside any transaction: storing takes its time, and what is stored and never named is swept.
    """
    taken: list[Received] = []
    refused: list[str] = []
    for upload in list(uploads)[:MOST_AT_ONCE]:
        if not upload.filename:
            continue
        name = clean_name(upload.filename)
        content = upload.stream.read(most_bytes + 1)
        if len(content) > most_bytes:
            refused.append(
                _(
                    "“%(name)s” is larger than %(size)s. Make it smaller or split it.",
                    name=name,
                    size=size(most_bytes),
                )
            )
            continue
        try:
            kind = kind_of(name, content, kinds)
        except ValueError as error:
            refused.append(str(error))
            continue
        taken.append(Received(name, store.put(content), len(content), kind))
    return taken, refused


def keep_uploads(session: Session, person_id: int, files: Iterable[Received]) -> list[FileReference]:
    """Write down what this person uploaded; until a request names it, it is theirs alone."""
    references = []
    for file in files:
        reference = FileReference(file.name, file.digest)
        if find_upload(session, person_id, reference) is None:
            session.add(_row(file, person_id, session))
            session.flush()
        references.append(reference)
    return references


def _row(file: Received, person_id: int, session: Session) -> Attachment:
    return Attachment(
        digest=file.digest,
        size=file.size,
        kind=file.kind,
        name=file.name,
        uploader_id=person_id,
        created_at=now(session),
        request_id=None,
        part="",
    )
