"""The ledger's tree as it stands in the database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.merkle import NodeReader
from portal.audit.model import Node

_NODES = Node.__table__
_HASH = select(_NODES.c.hash)


def node_reader(session: Session) -> NodeReader:
    """Reads nodes by level and position; each is read once. Raises LookupError when one is missing."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, position: int) -> bytes:
        if (level, position) not in known:
            found = session.scalar(_HASH.where(_NODES.c.level == level, _NODES.c.position == position))
            if found is None:
                message = f"The ledger's tree has no node {level}/{position}"
                raise LookupError(message)
            known[level, position] = found
        return known[level, position]

    return read
