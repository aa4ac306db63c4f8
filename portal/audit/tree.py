"""The ledger's tree as it stands in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.audit.merkle import NodeReader
from portal.audit.model import Node

Made = TypeVar("Made")
Coordinate = tuple[int, int]
#: So many nodes are read by one statement; both databases take more parameters than these are.
AT_ONCE = 500

_NODES = Node.__table__
_HASH = select(_NODES.c.hash)
_NO_HASH = bytes(32)


def node_reader(session: Session) -> NodeReader:
    """Reads nodes by level and position; each is read once. Raises LookupError when one is missing."""
    known: dict[Coordinate, bytes] = {}

    def read(level: int, position: int) -> bytes:
        if (level, position) not in known:
            found = session.scalar(_HASH.where(_NODES.c.level == level, _NODES.c.position == position))
            if found is None:
                raise _missing(level, position)
            known[level, position] = found
        return known[level, position]

    return read


def with_nodes(session: Session, make: Callable[[NodeReader], Made]) -> Made:
    """What `make` makes of the tree, all of the nodes that it asks for being read together.

    It is called twice, first to learn which nodes those are: so it must ask for the same ones whatever they hold, as
    proofs do, and change nothing. Many proofs cost a statement for each 500 nodes instead of one for each node.
    Raises LookupError when one is missing.
    """
    wanted: set[Coordinate] = set()

    def ask(level: int, position: int) -> bytes:
        wanted.add((level, position))
        return _NO_HASH

    make(ask)
    known = _read(session, wanted)

    def read(level: int, position: int) -> bytes:
        try:
            return known[level, position]
        except KeyError:
            raise _missing(level, position) from None

    return make(read)


def _read(session: Session, wanted: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
    places = sorted(wanted)
    known: dict[Coordinate, bytes] = {}
    for start in range(0, len(places), AT_ONCE):
        # Level by level: SQLite reads the whole table for a list of pairs of integers.
        among = [
            and_(_NODES.c.level == level, _NODES.c.position.in_([position for _, position in on_level]))
            for level, on_level in groupby(places[start : start + AT_ONCE], itemgetter(0))
        ]
        nodes = select(_NODES.c.level, _NODES.c.position, _NODES.c.hash).where(or_(*among))
        known.update({(row.level, row.position): row.hash for row in session.execute(nodes)})
    return known


def _missing(level: int, position: int) -> LookupError:
    return LookupError(f"The ledger's tree has no node {level}/{position}")
