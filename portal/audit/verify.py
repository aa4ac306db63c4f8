"""Verification: walks the whole ledger, recomputes everything, and names the first entry that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import LATEST
from portal.audit.merkle import root_hash
from portal.audit.model import Checkpoint, Entry, Node
from portal.audit.notes import Head, NoteError, verify_head_by
from portal.audit.tree import node_reader
from portal.audit.tree_check import odd_checkpoints, odd_nodes
from portal.audit.verified import keep_verified, read_verified
from portal.audit.walking import Walked, root_of, upper_nodes_differ, walk
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
    entries only the stored tree is looked at: that they, their columns and the values behind them still say what they
    said is seen by a whole walk alone.
    """
    result = Verification()
    begun = Walked() if whole or known is None else read_verified(known)
    # Before the database's moment is fixed, so that nothing was published that it does not have yet.
    published = _published(folder)
    with db.snapshot() as session:
        heads = list(_heads(session, result, name=name, keys=keys, published=published))
        # Of one size the folder's numbered file, which stands last, is compared first.
        heads.reverse()
        heads.sort(key=lambda one: one[0].size)
        result.checkpoints, result.since = len(heads), begun.size
        result.findings += _old_heads(session, heads, begun)
        if not begun.size or result.holds:
            walked = _walk(session, result, heads, progress, begun)
            if result.holds:
                result.findings += _odd_tree(session, walked)
            if result.holds and known is not None:
                keep_verified(known, walked)
        result.findings += [
            Finding(*odd) for odd in odd_checkpoints(session, [source for source, _ in published])
        ]
    return result


def _odd_tree(session: Session, walked: Walked) -> Iterator[Finding]:
    """What the stored tree holds beside what the entries make; looked for one by one only where something differs."""
    stored = session.scalar(select(func.count()).select_from(Node)) or 0
    wanted = sum(walked.size >> level for level in range(walked.size.bit_length()))
    if walked.odd_nodes or stored != wanted or upper_nodes_differ(session, walked):
        odd = [Finding(*one) for one in odd_nodes(session)]
        # What is wrong but in no order to be named, such as a value of another kind.
        yield from odd or [Finding(None, "The stored tree is not the one that the entries make.")]


def _walk(
    session: Session,
    result: Verification,
    heads: Sequence[tuple[Head, str]],
    progress: Callable[[int, int], None],
    begun: Walked,
) -> Walked:
    total, first = session.execute(select(func.count(), func.min(Entry.number))).one()
    if total and first != 1:
        result.findings.append(
            Finding(min(first, 1), f"Entry 1 is missing: the next one is numbered {first}.")
        )
        return begun
    ahead = [known for known in heads if known[0].size > begun.size]
    walked = walk(session, total, ahead, progress, begun)
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
    session: Session,
    result: Verification,
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    published: Sequence[tuple[str, str]],
) -> Iterator[tuple[Head, str]]:
    notes = [
        (f"{size} in the database", note)
        for size, note in session.execute(select(Checkpoint.size, Checkpoint.note).order_by(Checkpoint.size))
    ]
    # Of heads of one size the folder's numbered file is looked at first: nobody reaches it from the database.
    notes += published
    for source, note in notes:
        try:
            yield verify_head_by(note, [(name, key) for key in keys]), source
        except NoteError as error:
            result.findings.append(Finding(None, f"Checkpoint {source}: {error}."))


def _published(folder: Path | None) -> list[tuple[str, str]]:
    if not folder or not folder.is_dir():
        return []
    outside = [path for path in folder.iterdir() if path.suffix == ".note" or path.name == LATEST]
    return [
        (path.name, path.read_text(encoding="utf-8", errors="replace"))
        for path in sorted(outside, reverse=True)
    ]
