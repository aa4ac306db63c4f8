"""What stands beside the entries: every node of the stored tree, and the checkpoints' own columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import LargeBinary, cast, func, select
from sqlalchemy.orm import Session, aliased

from portal.audit.fitting import Rows
from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.model import Entry, Node
from portal.audit.notes import NoteError, read_head

CHUNK = 5_000
Problem = tuple[int | None, str]


def odd_nodes(session: Session) -> Iterator[Problem]:
    """The first entry of each level under which the stored tree is not the one that the entries make.

    Proofs are made from these nodes. The entries must have been verified before.
    """
    size = session.scalar(select(func.count()).select_from(Entry)) or 0
    level = 0
    while size >> level:
        yield from _odd_on(session, level, size >> level)
        level += 1
    beyond = session.execute(
        select(Node.level, Node.position)
        .where(Node.level.not_in(range(level)))
        .order_by(Node.level, Node.position)
        .limit(1)
    ).first()
    if beyond:
        yield None, f"The stored tree has a node {beyond.level}/{beyond.position} that no entries make."


def _odd_on(session: Session, level: int, count: int) -> Iterator[Problem]:
    there = -1
    for expected, (position, kept, true) in enumerate(_nodes_on(session, level)):
        # SQLite may hold what is no number.
        if not isinstance(position, int) or position >= count:
            yield None, f"The stored tree has a node {level}/{position} that no entries make."
            return
        if position != expected:
            break
        if kept != true:
            yield (position << level) + 1, _sentence(level, position, "does not hold their hash")
            return
        there = position
    if there + 1 < count:
        yield ((there + 1) << level) + 1, _sentence(level, there + 1, "is missing")


def _sentence(level: int, position: int, what: str) -> str:
    first = (position << level) + 1
    last = first + (1 << level) - 1
    if level == 0:
        return f"Entry {first}: the stored tree does not hold its hash."
    return f"Entries {first} to {last}: the node over them in the stored tree {what}."


def _nodes_on(session: Session, level: int) -> Iterator[tuple[Any, bytes, bytes | None]]:
    """Position, kept hash and what it must be, in order."""
    last = -1
    while True:
        chunk = list(session.execute(_chunk(level, last)))
        for row in chunk:
            if level == 0:
                yield row.position, row.hash, None if row.body is None else leaf_hash(row.body.encode())
            else:
                whole = row.left is not None and row.right is not None
                yield row.position, row.hash, node_hash(row.left, row.right) if whole else None
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].position


def _bytes(hashed: Any) -> Any:
    """What is there, of whatever kind SQLite was given it."""
    return cast(hashed, LargeBinary)


def _chunk(level: int, last: int) -> Any:
    where = (Node.level == level, Node.position > last)
    if level == 0:
        leaves = select(Node.position, _bytes(Node.hash).label("hash"), Entry.body)
        return (
            leaves.outerjoin(Entry, Entry.number == Node.position + 1)
            .where(*where)
            .order_by(Node.position)
            .limit(CHUNK)
        )
    left, right = aliased(Node), aliased(Node)
    parents = select(
        Node.position,
        _bytes(Node.hash).label("hash"),
        _bytes(left.hash).label("left"),
        _bytes(right.hash).label("right"),
    )
    return (
        parents.outerjoin(left, (left.level == level - 1) & (left.position == Node.position * 2))
        .outerjoin(right, (right.level == level - 1) & (right.position == Node.position * 2 + 1))
        .where(*where)
        .order_by(Node.position)
        .limit(CHUNK)
    )


def odd_checkpoints(checkpoints: Rows, published: Iterable[str]) -> Iterator[Problem]:
    """Checkpoints whose columns say something else than their note, or whose file lies in the folder and nowhere else.

    `checkpoints` are the database's, each as size, root and note; `published` are the names of the folder's files.
    """
    kept = set()
    for size, root, note in checkpoints:
        kept.add(size)
        try:
            head = read_head(note if isinstance(note, str) else "")
        except NoteError:
            continue  # told by whoever checks the signatures
        if (head.size, head.root) != (size, root):
            yield size, f"Checkpoint {size} in the database says something else than its signed note."
    for name in sorted(published):
        stem = name.removesuffix(".note")
        if stem.isdecimal() and int(stem) not in kept:
            yield int(stem), f"Checkpoint {int(stem)} was published, and the database no longer has it."
