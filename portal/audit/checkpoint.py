"""Checkpoints: signed heads of the ledger, kept in the database and in a folder outside it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.keys import load_or_create_key
from portal.audit.merkle import consistency_proof, is_consistent, root_hash
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import Head, sign_head, verifier_key, verify_head
from portal.audit.tree import node_reader
from portal.core.clock import now
from portal.core.database import Database
from portal.core.settings import Settings

EVERY = timedelta(seconds=60)
EVERY_ENTRIES = 100
LATEST = "latest"
NAME_FILE = "ledger.name"


class InconsistentLedger(Exception):
    """The ledger no longer contains what was signed before; nothing is signed. Operators must look."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs checkpoints and where they are handed to. `name` is also the log's origin."""

    name: str
    key: Ed25519PrivateKey
    folder: Path

    @classmethod
    def from_settings(cls, settings: Settings) -> Signer:
        """The signer of this portal; its key is made on first use, and its name is kept beside the key.

        A portal that moves to another address is still the same log, so the name never changes again.
        """
        key = load_or_create_key(settings.keys_folder)
        kept = settings.keys_folder / NAME_FILE
        if not kept.exists():
            temporary = kept.with_suffix(f".{os.getpid()}")
            temporary.write_text(origin_of(settings), encoding="utf-8")
            with contextlib.suppress(FileExistsError):
                os.link(temporary, kept)
            temporary.unlink()
        return cls(kept.read_text(encoding="utf-8").strip(), key, settings.checkpoint_folder)

    @property
    def verifier(self) -> str:
        """The public key to give to auditors."""
        return verifier_key(self.name, self.key.public_key())


def origin_of(settings: Settings) -> str:
    """The log's name: the portal's address without its scheme, as tlog-checkpoint suggests."""
    return settings.public_url.partition("://")[2] + "/ledger"


def checkpoint_if_due(db: Database, signer: Signer) -> Checkpoint | None:
    """Sign a checkpoint when there is something new and 60 s or 100 entries have passed since the last."""
    with db.reading() as session:
        size = session.scalar(select(func.max(Entry.number))) or 0
        last = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
        if size == 0 or (last and size == last.size):
            return None
        if last and size - last.size < EVERY_ENTRIES and now(session) - last.at < EVERY:
            return None
    return checkpoint(db, signer)


def checkpoint(db: Database, signer: Signer) -> Checkpoint | None:
    """Sign the ledger's head now; None when the ledger is empty.

    The head that was signed last is read from the signer's own folder, not from the database. Raises
    InconsistentLedger when the ledger does not contain it any more.
    """
    with db.transaction() as session:
        size = session.scalar(select(func.max(Entry.number))) or 0
        if size == 0:
            return None
        row = session.get(Checkpoint, size)
        head = Head(signer.name, size, root_hash(node_reader(session), size))
        _refuse_another_past(session, signer, head)
        if row is None:
            row = Checkpoint(
                size=size, root=head.root, note=sign_head(head, signer.name, signer.key), at=now(session)
            )
            session.add(row)
    _hand_out(signer.folder, row)
    return row


def _refuse_another_past(session: Session, signer: Signer, head: Head) -> None:
    latest = signer.folder / LATEST
    if not latest.exists():
        return
    signed = verify_head(latest.read_text(encoding="utf-8"), signer.name, signer.key.public_key())
    if signed.size > head.size:
        message = f"The ledger has {head.size} entries, but {signed.size} were signed before."
        raise InconsistentLedger(message)
    proof = consistency_proof(node_reader(session), signed.size, head.size)
    if not is_consistent(signed.size, signed.root, head.size, head.root, proof):
        message = f"The first {signed.size} entries of the ledger are not those that were signed before."
        raise InconsistentLedger(message)


def _hand_out(folder: Path, row: Checkpoint) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (f"{row.size:012d}.note", LATEST):
        path = folder / name
        temporary = folder / f".{name}.{os.getpid()}"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(row.note)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
