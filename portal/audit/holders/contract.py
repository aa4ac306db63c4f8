"""What every kind of holder does: takes a checkpoint, or says why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from sqlalchemy import func, select

from portal.audit.holders.cosignatures import FoundCosignature
from portal.audit.merkle import consistency_proof, root_hash
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import Head, NoteError, read_head
from portal.audit.tree import node_reader
from portal.core.clock import now
from portal.core.database import Database
from portal.core.language import say


class HolderFailed(Exception):
    """The holder did not take the checkpoint; it may another time. The message is a sentence, kept in every language."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class HolderContradicts(HolderFailed):
    """What the holder has is no earlier part of this ledger: one of the two was written anew. People must look."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One checkpoint on its way to one holder. What it reads of the ledger it reads in short sessions of its own."""

    db: Database
    head: Head
    note: str
    #: What the portal knows of the holder: the size that it has, and where it stands in its own words.
    known: int = 0
    position: str = ""

    def now(self) -> datetime:
        """The portal's time."""
        with self.db.reading() as session:
            return now(session)

    def proof(self, old: int) -> list[bytes]:
        """The consistency proof from `old` to this head (RFC 6962 §2.1.2)."""
        with self.db.reading() as session:
            return consistency_proof(node_reader(session), old, self.head.size)

    def entries(self) -> int:
        """How many entries the ledger has by now."""
        with self.db.reading() as session:
            return session.scalar(select(func.max(Entry.number))) or 0

    def notes_after(self, size: int) -> Iterator[tuple[int, str]]:
        """Every checkpoint after this size up to the one that is handed over, in order."""
        rows = select(Checkpoint.size, Checkpoint.note).where(
            Checkpoint.size > size, Checkpoint.size <= self.head.size
        )
        with self.db.reading() as session:
            for row in session.execute(rows.order_by(Checkpoint.size)):
                yield row.size, row.note

    def insist_on_our_past(self, text: str, where: str) -> Head:
        """The head of a note that the holder has. Raises HolderContradicts unless this ledger begins with it.

        `where` names the holder's copy in the sentence.
        """
        try:
            head = read_head(text)
        except NoteError:
            raise HolderContradicts(
                say("%(where)s holds something that is no checkpoint.", where=where)
            ) from None
        if head.origin != self.head.origin:
            raise HolderContradicts(
                say(
                    "%(where)s holds a checkpoint of another ledger, %(origin)s.",
                    where=where,
                    origin=head.origin,
                )
            )
        entries = self.entries()
        if head.size > entries:
            raise HolderContradicts(
                say(
                    "%(where)s holds a checkpoint of %(theirs)s entries, but the ledger has only %(ours)s.",
                    where=where,
                    theirs=head.size,
                    ours=entries,
                )
            )
        with self.db.reading() as session:
            root = root_hash(node_reader(session), head.size)
        if root != head.root:
            raise HolderContradicts(
                say(
                    "%(where)s holds a checkpoint of %(theirs)s entries with another root: the first entries of this "
                    "ledger are not those that were handed over.",
                    where=where,
                    theirs=head.size,
                )
            )
        return head


@dataclass(frozen=True, slots=True)
class Held:
    """What the holder has now. With `on_its_way` it was given the checkpoint, and has it only when told so later.

    `event` is published in the transaction that writes this down.
    """

    size: int
    position: str = ""
    cosignatures: tuple[FoundCosignature, ...] = ()
    on_its_way: bool = False
    event: object | None = None


class Holder(Protocol):
    """One holder outside the database."""

    #: What people call its kind, a message.
    kind: ClassVar[str]

    @property
    def key(self) -> str:
        """What the tables know it by: short, without a secret in it."""
        ...

    @property
    def name(self) -> str:
        """What people know it by, without a secret in it."""
        ...

    @property
    def every(self) -> timedelta:
        """How long it has peace after a checkpoint that it took."""
        ...

    def hand(self, handover: Handover) -> Held:
        """Give it the checkpoint; safe to do again. Raises HolderFailed, HolderContradicts."""
        ...

    def reach(self) -> str:
        """A sentence for the operators that says that it can be reached; changes nothing. Raises HolderFailed."""
        ...
