"""Verification: walks the whole ledger, recomputes everything, and names the first entry that does not fit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import LATEST
from portal.audit.merkle import root_hash
from portal.audit.model import Checkpoint, Entry, Node
from portal.audit.notes import Head, NoteError, raw_public_key, verify_head_by
from portal.audit.parts import SIZE
from portal.audit.tree import node_reader
from portal.audit.tree_check import odd_checkpoints, odd_nodes
from portal.audit.verified import keep_verified, read_verified
from portal.audit.walking import Walk, Walked, root_of, upper_nodes_differ
from portal.core.database import Database


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit. `entry` is the first entry's number, or None when it is about none."""

    entry: int | None
    sentence: str


@dataclass(slots=True)
class Verification:
    """What was walked and what was found; `holds` when nothing was."""

    entries: int = 0
    checkpoints: int = 0
    #: So many entries were verified before and were not read again.
    since: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything fits."""
        return not self.findings


def verify_ledger(
    db: Database,
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    folder: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    known: Path | None = None,
    whole: bool = True,
) -> Verification:
    """Walk the entries and compare the tree with every checkpoint in the folder and in the database.

    `keys` are all public keys that the ledger ever had, the current one last. `progress` is told entries done and in
    all. Stops at the first entry that does not fit.

    `known` is where it is kept how far the ledger was verified; unless `whole`, it goes on from there. Then of older
    entries only the top of the stored tree and whether their checkpoints are the same are looked at: that they,
    their columns and the values behind them still say what they said is seen by a whole walk alone.
    """
    result = Verification()
    begun = Walked() if whole or known is None else read_verified(known)
    # Before the database's moment is fixed, so that nothing was published that it does not have yet.
    published = _published(folder)
    with db.snapshot() as session:
        notes = [*published, *_stored(session)]
        total, first = session.execute(select(func.count(), func.min(Entry.number))).one()
        seen = begun.size > 0 and begun.heads == _digest(notes, begun.size, keys)
        sizes = sorted({note.size for note in notes if note.size > begun.size})
        with Walk(session, total, sizes, begun) as walk:
            # While other processes begin to walk.
            heads = list(_heads(notes, result, name=name, keys=keys, after=begun.size if seen else 0))
            result.checkpoints, result.since = len(notes), begun.size
            result.findings += _old_heads(session, heads, begun)
            if not begun.size or result.holds:
                walked = _walk(result, walk, first, heads, progress)
                if result.holds:
                    result.findings += _odd_tree(session, walked, result.since)
                if result.holds and known is not None:
                    keep_verified(known, walked, _digest(notes, len(walked.tops) * SIZE, keys))
        result.findings += [
            Finding(*odd) for odd in odd_checkpoints(session, [note.source for note in published])
        ]
    return result


@dataclass(frozen=True, slots=True)
class _Note:
    """A checkpoint as it was found, and the size that it states, signed or not; 0 when it states none."""

    source: str
    text: str
    size: int


def _note(source: str, text: str) -> _Note:
    stated = text.split("\n", 2)[1:2]
    # Sixteen digits are more than any ledger has, and less than would be slow to read.
    return _Note(source, text, int(stated[0]) if stated and _SIZE.fullmatch(stated[0]) else 0)


_SIZE = re.compile("[0-9]{1,16}")


def _digest(notes: Iterable[_Note], size: int, keys: Sequence[Ed25519PublicKey]) -> str:
    """Of the checkpoints over at most so many entries, and of the keys; the newest one's copy changes all the time."""
    digest = hashlib.sha256(b"".join(raw_public_key(key) for key in keys))
    for note in sorted((note for note in notes if note.size <= size), key=lambda one: one.source):
        if note.source != LATEST:
            digest.update(hashlib.sha256(note.source.encode()).digest())
            digest.update(hashlib.sha256(note.text.encode()).digest())
    return digest.hexdigest()


def _odd_tree(session: Session, walked: Walked, since: int) -> Iterator[Finding]:
    """What the stored tree holds beside what the entries make; looked for one by one only where something differs."""
    if (
        walked.odd_nodes
        or upper_nodes_differ(session, walked)
        or _beyond(session, walked.size)
        # Of what was verified before, the parts did not look at how many there are.
        or (
            since
            and _count(session) != sum(walked.size >> level for level in range(walked.size.bit_length()))
        )
    ):
        odd = [Finding(*one) for one in odd_nodes(session)]
        # What is wrong but in no order to be named, such as a value of another kind.
        yield from odd or [Finding(None, "The stored tree is not the one that the entries make.")]


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Node)) or 0


def _beyond(session: Session, size: int) -> bool:
    """Whether there is a node that no entries make; looked for where each level ends, without counting them."""
    levels = size.bit_length()
    places = [Node.level < 0, Node.level >= levels]
    for level in range(levels):
        places += [
            (Node.level == level) & (Node.position < 0),
            (Node.level == level) & (Node.position >= size >> level),
        ]
    return any(session.scalar(select(Node.level).where(place).limit(1)) is not None for place in places)


def _walk(
    result: Verification,
    walk: Walk,
    first: int | None,
    heads: Sequence[tuple[Head, str]],
    progress: Callable[[int, int], None],
) -> Walked:
    if first not in {None, 1}:
        result.findings.append(
            Finding(min(first, 1), f"Entry 1 is missing: the next one is numbered {first}.")
        )
        return walk.begun
    ahead = [known for known in heads if known[0].size > walk.begun.size]
    walked = walk.go(ahead, progress)
    result.entries = walked.size
    if walked.odd:
        result.findings.append(Finding(*walked.odd))
        return walked
    result.root = root_of(walked.edge).hex()
    result.findings += [
        Finding(
            walked.size + 1,
            f"The ledger ends at entry {walked.size}, but the checkpoint {source} signed {head.size}: "
            "entries are missing at the end.",
        )
        for head, source in ahead
        if head.size > walked.size
    ]
    return walked


def _old_heads(session: Session, heads: Sequence[tuple[Head, str]], begun: Walked) -> Iterator[Finding]:
    """Heads of what was verified before are compared with the stored tree, whose top is the one known from then."""
    old = [(head, source) for head, source in heads if 0 < head.size <= begun.size]
    if not begun.size:
        return
    node = node_reader(session)
    try:
        if root_hash(node, begun.size) == root_of(begun.edge):
            yield from (
                Finding(
                    None,
                    f"The stored tree over the first {head.size} entries is not the one that the checkpoint "
                    f"{source} signed.",
                )
                for head, source in old
                if root_hash(node, head.size) != head.root
            )
            return
    except LookupError:
        pass
    yield Finding(
        None,
        f"The stored tree over the first {begun.size} entries is not the one that was verified before: "
        "run audit verify --whole.",
    )


def _heads(
    notes: Sequence[_Note],
    result: Verification,
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    after: int,
) -> Iterator[tuple[Head, str]]:
    """The heads that the ledger's keys signed, by size; what states at most `after` was verified before."""
    known: dict[str, Head] = {}
    # Of heads of one size the folder's numbered file, which stands first, is compared first: nobody reaches it from
    # the database.
    for note in sorted(notes, key=lambda one: one.size):
        if 0 < note.size <= after and note.source != LATEST:
            continue
        try:
            # The folder's file repeats what the database holds.
            head = known.get(note.text) or verify_head_by(note.text, [(name, key) for key in keys])
        except NoteError as error:
            result.findings.append(Finding(None, f"Checkpoint {note.source}: {error}."))
            continue
        known[note.text] = head
        yield head, note.source


def _stored(session: Session) -> list[_Note]:
    rows = session.execute(select(Checkpoint.size, Checkpoint.note).order_by(Checkpoint.size))
    return [_note(f"{size} in the database", text) for size, text in rows]


def _published(folder: Path | None) -> list[_Note]:
    if not folder or not folder.is_dir():
        return []
    outside = [path for path in folder.iterdir() if path.suffix == ".note" or path.name == LATEST]
    return [_note(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in sorted(outside)]
