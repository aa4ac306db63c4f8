"""Making: from a request's reference to its signed file, made once for the same story and kept by its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.requests.moves import get_locked
from catalog.requests.queries import find_id
from portal.audit import record
from portal.audit.checkpoint import InconsistentLedger, NotSigned, Signer, checkpoint
from portal.audit.holders.queries import last_cosigned
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import read_head
from portal.core.clock import now
from portal.core.database import Database
from portal.core.errors import NotFound, PortalError, SettingsError
from portal.core.language import N_, SOURCE, _, speaking, spoken
from portal.core.settings import Settings
from portal.identity.actor import PORTAL, Actor
from reports.evidence import tags
from reports.evidence.document import Evidence
from reports.evidence.facts import Ledger, gather, story_digest
from reports.evidence.html import to_pdf
from reports.evidence.kept import is_whole, keep, known_file, path_of, remember
from reports.evidence.model import EvidenceFile
from reports.pdf.keys import PdfKey, load_or_create_pdf_key
from reports.pdf.signing import sign
from reports.pdf.timestamps import TimestampAuthority, authority_of

#: A request that moves on while its evidence is gathered is gathered again, so often.
TRIES = 5


class EvidenceNotMade(PortalError):
    """The file could not be made now; nothing else is held up by it."""

    status: ClassVar[int] = 503
    title: ClassVar[str] = N_("The evidence could not be made")


@dataclass(frozen=True, slots=True)
class Workbench:
    """What making evidence needs: the ledger's signer and the settings that say where files and keys lie."""

    db: Database
    settings: Settings
    signer: Signer

    @property
    def folder(self) -> Path:
        """Where the files are kept, each under its digest."""
        return self.settings.home / "evidence"

    @property
    def address(self) -> str:
        """The portal's address without its scheme."""
        return self.settings.public_url.partition("://")[2]

    def timestamps(self) -> TimestampAuthority | None:
        """The authority whose timestamps signed files carry, or None. Raises EvidenceNotMade when it is set up wrongly."""
        try:
            return authority_of(self.settings)
        except SettingsError as error:
            raise EvidenceNotMade(
                _("Timestamps are set up wrongly. Tell the operators: %(why)s", why=error)
            ) from error


@dataclass(frozen=True, slots=True)
class Made:
    """A file that lies ready. `digest` is over the whole signed PDF."""

    reference: str
    path: Path
    digest: str

    @property
    def name(self) -> str:
        """What the file is called when it is saved."""
        return f"{self.reference}.pdf"


def make_evidence(bench: Workbench, reference: str, language: str = SOURCE) -> Made:
    """The request's file with everything that the ledger says of it until now; rendered only when something is new.

    Its pages are in the language, one of portal.core.language.LANGUAGES; its facts are the same in each.

    Raises NotFound, RenderError or EvidenceNotMade with a sentence. Changes nothing about the request.
    """
    key = introduced_key(bench)
    evidence, request_id = _gather_now(bench, reference, key)
    evidence = _under_witnesses(bench, evidence, request_id, key)
    story = story_digest(evidence)
    with bench.db.reading() as session:
        known = session.scalars(known_file(request_id, story, language)).one_or_none()
        earlier = session.get(Checkpoint, known.checkpoint_size) if known else None
    # A file that no witness had signed is made again once one has; nothing else makes it anew.
    good = known is not None and _signatures(known.note) >= _signatures(evidence.ledger.checkpoint)
    timestamps = bench.timestamps()
    if known and good and is_whole(bench.folder, known.digest, timestamped=timestamps is not None):
        return Made(reference, path_of(bench.folder, known.digest), known.digest)
    if known and good and earlier:
        # The file is gone, damaged, or lacks its timestamp: the facts under its own checkpoint give the same pages again.
        evidence = _gather_at(bench, request_id, earlier, key, known.note)
    content = signed_pdf(evidence, key, language, timestamps)
    made = "sha256:" + hashlib.sha256(content).hexdigest()
    keep(bench.folder, made, content)
    remember(
        bench.db,
        known_file(request_id, story, language),
        EvidenceFile(
            request_id=request_id,
            story=story,
            language=language,
            checkpoint_size=_size(evidence),
            note=evidence.ledger.checkpoint,
            digest=made,
            bytes=len(content),
        ),
    )
    return Made(reference, path_of(bench.folder, made), made)


def signed_pdf(
    evidence: Evidence, key: PdfKey, language: str = SOURCE, timestamps: TimestampAuthority | None = None
) -> bytes:
    """The document as a signed PDF; without timestamps the same bytes for the same document, key and language."""
    at = datetime.fromisoformat(evidence.as_of)
    reason = f"Evidence of request {evidence.reference}"
    return sign(to_pdf(evidence, language), key, at=at, reason=reason, timestamps=timestamps)


def record_download(session: Session, actor: Actor, made: Made) -> None:
    """Write down who took which file. Its subject is not the request's, or each download would make a new file."""
    record(
        session,
        tags.DOWNLOADED,
        subject=f"evidence:{made.reference}",
        actor=actor,
        facts={"request": made.reference, "file": made.digest},
    )


def introduced_key(bench: Workbench) -> PdfKey:
    """The key that signs PDF files, its certificate named in the ledger once, so that one fingerprint suffices."""
    with bench.db.reading() as session:
        at = now(session)
    try:
        key = load_or_create_pdf_key(bench.settings.keys_folder, name=bench.address, at=at)
    except SettingsError as error:
        raise unusable(error) from error
    with bench.db.reading() as session:
        if _is_introduced(session, key):
            return key
    with bench.db.transaction() as session:
        if not _is_introduced(session, key):
            record(
                session,
                tags.KEY_INTRODUCED,
                subject=subject_of(key),
                actor=PORTAL,
                facts={"certificate": key.fingerprint, "name": key.certificate.subject.rfc4514_string()},
            )
    return key


def not_signed(error: NotSigned) -> EvidenceNotMade:
    """Why there is no evidence now, in the reader's words: the ledger is refused, or nobody can sign it."""
    why = spoken(error.sentence)
    if isinstance(error, InconsistentLedger):
        return EvidenceNotMade(
            _("%(why)s No evidence is made from such a ledger; tell the operators.", why=why)
        )
    return EvidenceNotMade(
        _(
            "%(why)s Evidence cannot be made until it does; everything else goes on. Try again in some minutes.",
            why=why,
        )
    )


def subject_of(key: PdfKey) -> str:
    """How the ledger names the certificate."""
    return f"signing-key:{key.fingerprint}"


def unusable(error: Exception) -> EvidenceNotMade:
    """The key that signs files is damaged, or others may read it."""
    return EvidenceNotMade(
        _("The key that signs files cannot be used. Tell the operators: %(why)s", why=error)
    )


def _is_introduced(session: Session, key: PdfKey) -> bool:
    statement = select(Entry.number).where(Entry.subject == subject_of(key), Entry.tag == tags.KEY_INTRODUCED)
    return session.scalars(statement.limit(1)).first() is not None


def _gather_now(bench: Workbench, reference: str, key: PdfKey) -> tuple[Evidence, int]:
    with bench.db.reading() as session:
        request_id = find_id(session, reference)
    if request_id is None:
        raise NotFound(_("There is no such request."))
    for _try in range(TRIES):
        try:
            head = checkpoint(bench.db, bench.signer)
        except NotSigned as error:
            raise not_signed(error) from error
        if head is None:
            break
        with bench.db.transaction() as session:
            # Whatever changes a request holds its row, so what is read now belongs together.
            get_locked(session, request_id)
            last = session.scalar(
                select(func.max(Entry.number)).where(Entry.subject == f"request:{reference}")
            )
            if (last or 0) <= head.size:
                return _gather(bench, session, request_id, head, key), request_id
    raise EvidenceNotMade(_("The request is changing right now. Try again in a moment."))


def _under_witnesses(bench: Workbench, evidence: Evidence, request_id: int, key: PdfKey) -> Evidence:
    """The same story under the newest checkpoint that a witness signed and that has all of it; else as it was.

    The checkpoint of now is seconds old, and no witness has seen it.
    """
    with bench.db.reading() as session:
        seen = last_cosigned(session, max(entry.number for entry in evidence.ledger.entries))
    if seen is None:
        return evidence
    other = _gather_at(bench, request_id, seen, key)
    return other if story_digest(other) == story_digest(evidence) else evidence


def _signatures(note: str) -> int:
    return note.partition("\n\n")[2].count("\n")


def _gather_at(bench: Workbench, request_id: int, head: Checkpoint, key: PdfKey, note: str = "") -> Evidence:
    with bench.db.transaction() as session:
        get_locked(session, request_id)
        return _gather(bench, session, request_id, head, key, note=note)


def _gather(
    bench: Workbench, session: Session, request_id: int, head: Checkpoint, key: PdfKey, *, note: str = ""
) -> Evidence:
    # Facts are the same whoever reads the pages.
    with speaking(SOURCE):
        return gather(session, request_id, head, _ledger(bench, key), address=bench.address, note=note)


def _ledger(bench: Workbench, key: PdfKey) -> Ledger:
    return Ledger(bench.signer.name, bench.signer.verifiers[0], (subject_of(key),))


def _size(evidence: Evidence) -> int:
    return read_head(evidence.ledger.checkpoint).size
