"""The files that were made: each lies under its digest, and a row says for which story it was made."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sqlalchemy import Select, select

from catalog.requests.moves import get_locked
from portal.core.clock import now
from portal.core.database import Database
from reports.evidence.model import EvidenceFile
from reports.pdf.timestamps import has_timestamp


def path_of(folder: Path, made: str) -> Path:
    """Where the file with this digest lies."""
    return folder / f"{made.removeprefix('sha256:')}.pdf"


def is_whole(folder: Path, made: str, *, timestamped: bool) -> bool:
    """Whether the file is there as it was made, with a timestamp where one is wanted."""
    path = path_of(folder, made)
    if not path.is_file():
        return False
    content = path.read_bytes()
    if timestamped and not has_timestamp(content):
        return False
    return "sha256:" + hashlib.sha256(content).hexdigest() == made


def keep(folder: Path, made: str, content: bytes) -> None:
    """Write the file so that nobody sees half of it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = path_of(folder, made)
    temporary = path.with_suffix(f".{os.getpid()}.{id(content)}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def known_file(request_id: int, story: str, language: str) -> Select[EvidenceFile]:
    """The row of the file that tells this story in this language."""
    return select(EvidenceFile).where(
        EvidenceFile.request_id == request_id, EvidenceFile.story == story, EvidenceFile.language == language
    )


def remember(db: Database, known: Select[EvidenceFile], made: EvidenceFile) -> None:
    """Write down what was made, in place of an earlier file of the same story."""
    with db.transaction() as session:
        # The request's row is the lock: of two who made the same file one adds the row, the other finds it.
        get_locked(session, made.request_id)
        made.made_at = now(session)
        row = session.scalars(known).one_or_none()
        if row is None:
            session.add(made)
            return
        row.checkpoint_size, row.note = made.checkpoint_size, made.note
        row.digest, row.bytes = made.digest, made.bytes
        row.made_at = made.made_at
