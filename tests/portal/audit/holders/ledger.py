"""A ledger that grows and is signed as a test says, by a key of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from portal.audit import record
from portal.audit.holders.contract import Holder
from portal.audit.holders.model import HolderState
from portal.audit.merkle import root_hash
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import Head, sign_head
from portal.audit.tree import node_reader
from portal.core.clock import now
from portal.core.database import Database
from portal.identity.actor import PORTAL

ORIGIN = "portal.test/ledger"


@dataclass
class Ledger:
    """Entries in a database, and the key that signs its heads."""

    db: Database
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    story: str = "thing"

    def grow(self, count: int) -> Checkpoint:
        """So many entries more, and a checkpoint of them all."""
        for number in range(count):
            with self.db.transaction() as session:
                record(session, "thing:done", subject=f"{self.story}:{number}", actor=PORTAL)
        return self.sign()

    def sign(self) -> Checkpoint:
        """A checkpoint of what is there."""
        with self.db.transaction() as session:
            size = session.scalar(select(func.max(Entry.number))) or 0
            head = Head(ORIGIN, size, root_hash(node_reader(session), size))
            row = Checkpoint(
                size=size, root=head.root, note=sign_head(head, ORIGIN, self.key), at=now(session)
            )
            session.add(row)
        return row

    def state(self, holder: Holder) -> HolderState:
        """What is known of the holder."""
        with self.db.reading() as session:
            return session.get_one(HolderState, holder.key)

    def told(self, tag: str) -> int:
        """How many entries have this tag."""
        with self.db.reading() as session:
            return session.scalar(select(func.count()).where(Entry.tag == tag)) or 0
