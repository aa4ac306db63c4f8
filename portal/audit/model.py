"""The ledger's tables: entries, the nodes of their tree, checkpoints, and the values behind commitments."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.audit import merkle
from portal.core.append_only import append_only
from portal.core.database import Base, Key, UTCText
from portal.core.language import SaidText


class Entry(Base):
    """One thing that happened. `body` is the canonical JSON that the leaf hashes; the columns repeat it for search."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ix_ledger_entry_subject_number", "subject", "number"),
        Index("ix_ledger_entry_tag_number", "tag", "number"),
        Index("ix_ledger_entry_actor_number", "actor", "number"),
        Index("ix_ledger_entry_at", "at"),
    )

    #: 1, 2, 3 … without a gap; the leaf's index is one less.
    number: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCText())
    tag: Mapped[str] = mapped_column(String(80))
    #: What it is about: "request:SR-000001", "person:12", "offering:firewall-rule".
    subject: Mapped[str] = mapped_column(String(200))
    #: "person:12", or "portal" when the portal acted on its own.
    actor: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)

    @property
    def leaf_hash(self) -> bytes:
        """The hash of its leaf; the stored tree holds it too."""
        return merkle.leaf_hash(self.body.encode())


class Node(Base):
    """The hash of one complete subtree, so that proofs read a logarithmic number of rows."""

    __tablename__ = "ledger_node"
    # In the order of its key, which is how it is read: half the pages, and half the time.
    __table_args__ = ({"sqlite_with_rowid": False},)

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """A signed statement of the tree's size and root, in the C2SP tlog-checkpoint form."""

    __tablename__ = "ledger_checkpoint"

    size: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class PersonalValue(Base):
    """What a commitment in an entry stands for. Deleting the row erases the value; the proofs still hold."""

    __tablename__ = "personal_value"
    __table_args__ = ({"sqlite_with_rowid": False},)

    entry_number: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(80), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    #: The commitment is over the English text of what was said in every language.
    value: Mapped[str] = mapped_column(SaidText)


class SealedRow(Base):
    """A row of another table as an entry's transaction left it: see portal.audit.sealing."""

    __tablename__ = "ledger_row"
    __table_args__ = (Index("ix_ledger_row_entry_number", "entry_number"), {"sqlite_with_rowid": False})

    table_name: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: Its primary key as text.
    row_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    entry_number: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: HMAC-SHA256 over its content in hex; empty when the row was removed.
    seal: Mapped[str] = mapped_column(String(64))


class RowSalt(Base):
    """The salt of a row's last seal. Former ones are thrown away, so that no seal tells what a row once said."""

    __tablename__ = "row_salt"
    __table_args__ = ({"sqlite_with_rowid": False},)

    table_name: Mapped[str] = mapped_column(String(60), primary_key=True)
    row_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))


#: Tables whose rows never change once written; the migration makes the same triggers.
APPEND_ONLY = ("ledger_entry", "ledger_node", "ledger_checkpoint", "ledger_row")

for _name in APPEND_ONLY:
    append_only(Base.metadata.tables[_name])
