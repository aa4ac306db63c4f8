"""Files under the data folder against the digests that the tables hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.attachments.store import Store
from catalog.fulfilment.model import Artefact
from catalog.requests.model import Request
from portal.core.errors import Unavailable
from reports.evidence.kept import path_of
from reports.evidence.model import EvidenceFile
from reports.records.found import RecordFinding, called
from reports.records.rows import Tell

PART = 200


def odd_attachments(session: Session, store: Store, tell: Tell) -> Iterator[RecordFinding]:
    """Attached files of requests whose content is gone or is another one. Drafts' files may be gone."""
    last = 0
    while True:
        rows = session.execute(
            select(Attachment.id, Attachment.digest)
            .where(Attachment.id > last, Attachment.request_id.is_not(None))
            .order_by(Attachment.id)
            .limit(PART)
        ).all()
        if not rows:
            return
        for row in rows:
            try:
                store.get(row.digest)
            except (Unavailable, ValueError):
                sentence = f"{called(session, 'attachment', str(row.id))}: its content is not what was attached, or cannot be read."
                yield RecordFinding("attachment", str(row.id), None, sentence)
        tell(len(rows))
        last = rows[-1].id


def odd_artefacts(session: Session, tell: Tell) -> Iterator[RecordFinding]:
    """Files that fulfilment made whose content is not the one of their digest."""
    last = 0
    while True:
        rows = session.execute(
            select(Artefact.id, Artefact.digest, Artefact.content)
            .where(Artefact.id > last)
            .order_by(Artefact.id)
            .limit(PART)
        ).all()
        if not rows:
            return
        for row in rows:
            if "sha256:" + hashlib.sha256(row.content).hexdigest() != row.digest:
                sentence = f"{called(session, 'artefact', str(row.id))}: its content does not fit its digest."
                yield RecordFinding("artefact", str(row.id), None, sentence)
        tell(len(rows))
        last = rows[-1].id


def odd_evidence(session: Session, folder: Path, tell: Tell) -> Iterator[RecordFinding]:
    """Evidence that lies in the folder and is not what was made. One that is gone can be made again, byte for byte."""
    last = 0
    while True:
        rows = session.execute(
            select(EvidenceFile.id, EvidenceFile.digest, EvidenceFile.bytes, Request.reference)
            .join(Request, Request.id == EvidenceFile.request_id)
            .where(EvidenceFile.id > last)
            .order_by(EvidenceFile.id)
            .limit(PART)
        ).all()
        if not rows:
            return
        for row in rows:
            path = path_of(folder, row.digest)
            if path.exists() and (path.stat().st_size != row.bytes or _digest(path) != row.digest):
                sentence = f"The evidence file {path.name} of {row.reference} is not the one that was made."
                yield RecordFinding("evidence_file", str(row.id), None, sentence)
        tell(len(rows))
        last = rows[-1].id


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
