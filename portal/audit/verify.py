"""Verification: walks the whole ledger, recomputes everything, and names the first entry that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased

from portal.audit.fitting import SIZE
from portal.audit.found_notes import digest_of, published_in, signed_heads, stored_in
from portal.audit.merkle import NodeReader, root_hash
from portal.audit.model import Entry, Node
from portal.audit.notes import Head
from portal.audit.raw_rows import holds_no_text, rows_of
from portal.audit.tree_check import odd_checkpoints, odd_nodes
from portal.audit.verified import keep_verified, read_verified
from portal.audit.vouched import facts_of, vouched_for
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
    #: What an entry about it states of the checkpoints, where each was verified; see portal.audit.vouched.
    vouches: dict[str, Any] = field(default_factory=dict)

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
    all. Stops at the first entry that does not fit. Signatures that the last whole round verified are not verified again
    one by one where its entry vouches for them (portal.audit.vouched); their roots are compared all the same.

    `known` is where it is kept how far the ledger was verified; unless `whole`, it goes on from there. Then of older
    entries only the top of the stored tree, whether their checkpoints are the same and that none is missing are
    looked at: that they, their columns and the values behind them still say what they said is seen by a whole walk
    alone.
    """
    result = Verification()
    begun = Walked() if whole or known is None else read_verified(known)
    # Before the database's moment is fixed, so that nothing was published that it does not have yet.
    published = published_in(folder)
    with db.snapshot() as session:
        checkpoints = rows_of(session).checkpoints()
        notes = [*published, *stored_in(checkpoints)]
        total = session.scalar(select(func.count()).select_from(Entry)) or 0
        seen = begun.size > 0 and begun.heads == digest_of(notes, begun.size, keys)
        sizes = sorted({note.size for note in notes if note.size > begun.size})
        with Walk(session, total, sizes, begun) as walk:
            # While other processes begin to walk.
            heads, refused = signed_heads(
                notes,
                name=name,
                keys=keys,
                after=begun.size if seen else 0,
                # Of what was verified before, the entry that vouches is not read again.
                vouched=None if begun.size else vouched_for(session, checkpoints),
            )
            beside = list(odd_checkpoints(checkpoints, [note.source for note in published]))
            # Of what was verified before nothing is vouched for: its signatures were not all looked at.
            vouches = {} if begun.size else facts_of(checkpoints)
            result.findings += [Finding(None, sentence) for sentence in refused]
            result.checkpoints, result.since = len(notes), begun.size
            if begun.size:
                result.findings += _missing(session, total, begun.size)
                result.findings += _old_heads(session, heads, begun)
            if not begun.size or result.holds:
                walked = _walk(result, walk, session.scalar(select(func.min(Entry.number))), heads, progress)
                # Where all entries fit, whatever is wrong with a checkpoint.
                if all(finding.entry is None for finding in result.findings):
                    result.findings += _odd_tree(session, walked, result.since)
                if result.holds and known is not None:
                    keep_verified(known, walked, digest_of(notes, len(walked.tops) * SIZE, keys))
        result.findings += [Finding(*odd) for odd in beside]
        if result.holds:
            result.vouches = vouches
    return result


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
        try:
            odd = [Finding(*one) for one in odd_nodes(session)]
        except OperationalError as error:
            if not holds_no_text(error):
                raise
            odd = []
        # What is wrong but in no order to be named, such as a value of another kind.
        yield from odd or [Finding(None, "The stored tree is not the one that the entries make.")]


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Node)) or 0


def _beyond(session: Session, size: int) -> bool:
    """Whether there is a node that no entries make; looked for where each level ends, without counting them."""
    levels = size.bit_length()
    places: list[ColumnElement[bool]] = [Node.level < 0, Node.level >= levels]
    for level in range(levels):
        places += [
            # SQLite takes whatever it is given.
            (Node.level > level) & (Node.level < level + 1),
            (Node.level == level) & (Node.position < 0),
            (Node.level == level) & (Node.position >= size >> level),
        ]
    return any(session.scalar(select(literal(1)).where(place).limit(1)) for place in places)


def _missing(session: Session, total: int, verified: int) -> Iterator[Finding]:
    """Whether entries that were verified before are no longer there; they are counted, not read."""
    if total < verified:
        yield Finding(
            total + 1,
            f"The ledger has {total} entries, but {verified} were verified before: run audit verify --whole.",
        )
    elif session.scalar(select(func.max(Entry.number))) != total:
        following = aliased(Entry)
        before = select(func.min(Entry.number)).where(
            ~select(literal(1)).where(following.number == Entry.number + 1).exists()
        )
        gap = (session.scalar(before) or 0) + 1
        yield Finding(gap, f"Entry {gap} is missing: run audit verify --whole.")


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
    node = _node_reader(session)
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


def _node_reader(session: Session) -> NodeReader:
    """Reads hashes of 32 bytes alone, whatever else stands there. Raises LookupError."""
    rows = rows_of(session)

    @cache
    def read(level: int, position: int) -> bytes:
        there, hashed = rows.nodes(level, position, 1)
        if there != 1 or not hashed:
            raise LookupError
        return hashed

    return read
