"""Checkpoints: signed heads of the ledger, kept in the database and in a folder outside it.

The signature is the signer's (portal.audit.signer), which compares each head with its own last one. No transaction is
open while it is asked, so that a signer that hangs holds up nothing but checkpoints.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.audit.merkle import consistency_proof, is_consistent, root_hash
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import Head, NoteError, fingerprint, is_signed_by, read_head, read_verifier_key
from portal.audit.signer.asking import Desk, SocketDesk
from portal.audit.signer.notary import SignerState
from portal.audit.signer.process import notary_of
from portal.audit.signer.refusals import Away, Refused, SignerError, Stale, Unready
from portal.audit.tree import node_reader
from portal.core.clock import now
from portal.core.database import Database
from portal.core.errors import SettingsError
from portal.core.language import say
from portal.core.settings import Settings

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)
EVERY_ENTRIES = 100
LATEST = "latest"
#: Others sign meanwhile, and each time it begins anew.
TRIES = 20
KEPT_STATE = "signer.json"


class NotSigned(Exception):
    """No checkpoint was made. `sentence` says why, in every language."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InconsistentLedger(NotSigned):
    """The ledger no longer contains what was signed before; nothing is signed. Operators must look."""


class SignerAway(NotSigned):
    """The signer does not answer, or cannot sign until it is mended; the ledger itself may be well."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs checkpoints, asked at its desk, and the folder to which they are handed. It shows no private key."""

    desk: Desk
    folder: Path

    @classmethod
    def from_settings(cls, settings: Settings) -> Signer:
        """The signer of this portal: the process at SIGNER_SOCKET, else this one, its key made on first use.

        Raises SettingsError when others may read a key that this process holds.
        """
        place = settings.signer
        if place.socket is not None:
            return cls(
                SocketDesk(place.socket, settings.keys_folder / KEPT_STATE), settings.checkpoint_folder
            )
        notary = notary_of(place, settings.public_url)
        try:
            notary.begin()
        except Unready as error:
            if isinstance(error.__cause__, SettingsError):
                raise error.__cause__ from error
            # Whatever else is in the way is said when something is to be signed: the portal goes on without.
        return cls(notary, settings.checkpoint_folder)

    def state(self) -> SignerState:
        """What the signer tells of itself; lately, where it is a process of its own. Raises SignerAway."""
        try:
            return self.desk.known() if isinstance(self.desk, SocketDesk) else self.desk.state()
        except SignerError as error:
            raise not_signed(error) from error

    @property
    def name(self) -> str:
        """The log's origin, by which its keys are named too. A portal that moves is still the same log."""
        return self.state().origin

    @property
    def verifier(self) -> str:
        """The current public key (name+hash+key), to give to auditors."""
        return self.verifiers[-1]

    @property
    def verifiers(self) -> tuple[str, ...]:
        """All public keys that the ledger ever had, newest last."""
        return self.state().verifiers

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The current public key."""
        return read_verifier_key(self.verifier)[1]

    @property
    def public_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """All public keys, newest last."""
        return tuple(read_verifier_key(verifier)[1] for verifier in self.verifiers)


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

    What was signed last is what the signer remembers, and what lies in the folder; not what the database says. Raises
    InconsistentLedger when the ledger does not contain it any more, SignerAway when nobody can sign now.
    """
    old = None
    for _try in range(TRIES):
        try:
            row = _signed(db, signer, old)
        except Stale as stale:
            # The next proof begins where the signer stands; others may have grown the ledger meanwhile.
            old = stale.size
            continue
        except Refused as error:
            raise _another_past(old if old is not None else 0) from error
        except SignerError as error:
            raise not_signed(error) from error
        if row is not None:
            try:
                _hand_out(signer.folder, row)
            except OSError as error:
                # It is signed. The folder is one holder of several and gets what it lacks later (portal.audit.holders).
                log.warning("The checkpoint of %s is not in %s yet: %s", row.size, signer.folder, error)
        return row
    raise SignerAway(say("The ledger is signed by others without a pause; try again in a moment."))


def _signed(db: Database, signer: Signer, old: int | None) -> Checkpoint | None:
    """One try, with a proof from `old`, or from the last checkpoint in the database."""
    name = signer.name
    with db.reading() as session:
        size = session.scalar(select(func.max(Entry.number))) or 0
        if size == 0 and not old:
            return None
        if old is None:
            old = session.scalar(select(func.max(Checkpoint.size)).where(Checkpoint.size <= size)) or 0
        if old > size:
            raise _shorter(size, old)
        node = node_reader(session)
        head = Head(name, size, root_hash(node, size))
        _refuse_another_past(session, signer, head)
        proof = consistency_proof(node, old, size)
    try:
        lines = signer.desk.sign(old, proof, head)
    except Stale as stale:
        if stale.size == old:
            raise Refused(stale.sentence) from stale
        raise
    note = f"{head.body()}\n{lines}"
    if not any(is_signed_by(note, verifier) for verifier in signer.desk.state().verifiers):
        raise Away("What the signer gave is no signature of its own.")
    return _stored(db, head, note)


def _stored(db: Database, head: Head, note: str) -> Checkpoint:
    try:
        with db.transaction() as session:
            row = session.get(Checkpoint, head.size)
            if row is None:
                row = Checkpoint(size=head.size, root=head.root, note=note, at=now(session))
                session.add(row)
            return row
    except IntegrityError:
        # Somebody else was signed at the same size, and was first.
        with db.reading() as session:
            return session.get_one(Checkpoint, head.size)


def _refuse_another_past(session: Session, signer: Signer, head: Head) -> None:
    """The folder is asked beside the signer: it may lie where a backup of both does not reach it."""
    latest = signer.folder / LATEST
    try:
        note = latest.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Not there yet, or away for now; the signer's own last head holds all the same.
        return
    try:
        signed = read_head(note)
    except NoteError as error:
        raise SignerAway(
            say("The last checkpoint in %(folder)s is damaged.", folder=signer.folder)
        ) from error
    if signed.origin != head.origin or not any(is_signed_by(note, verifier) for verifier in signer.verifiers):
        raise InconsistentLedger(
            say("The last checkpoint in %(folder)s is not signed by this ledger's key.", folder=signer.folder)
        )
    if signed.size > head.size:
        # Somebody else may have handed it out since the size was read.
        if signed.size <= (session.scalar(select(func.max(Entry.number))) or 0):
            raise Stale(signed.size)
        raise _shorter(head.size, signed.size)
    proof = consistency_proof(node_reader(session), signed.size, head.size)
    if not is_consistent(signed.size, signed.root, head.size, head.root, proof):
        raise _another_past(signed.size)


def _shorter(size: int, signed: int) -> InconsistentLedger:
    return InconsistentLedger(
        say(
            "The ledger has %(size)s entries, but %(signed)s were signed before.",
            size=size,
            signed=signed,
        )
    )


def _another_past(signed: int) -> InconsistentLedger:
    return InconsistentLedger(
        say(
            "The first %(signed)s entries of the ledger are not those that were signed before.", signed=signed
        )
    )


def not_signed(error: SignerError) -> SignerAway:
    """What the signer's error is to whoever wanted something signed."""
    if isinstance(error, Away):
        return SignerAway(say("The ledger's signer does not answer."))
    return SignerAway(say("The ledger's signer cannot sign: %(why)s", why=error.sentence))


def _hand_out(folder: Path, row: Checkpoint) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (f"{row.size:012d}.note", LATEST):
        path = folder / name
        temporary = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(row.note)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def first_key(signer: Signer) -> tuple[str, str]:
    """The ledger's first key, which vouches for all later ones and so checks every file, and its fingerprint.

    Both are empty while the signer does not answer: the files are there all the same.
    """
    try:
        key = signer.verifiers[0]
    except NotSigned:
        return "", ""
    return key, fingerprint(read_verifier_key(key)[1])
