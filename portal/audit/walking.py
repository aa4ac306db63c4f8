"""Walking the whole ledger, or what is new of it: its parts are verified side by side and put together here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.merkle import EMPTY_ROOT, node_hash
from portal.audit.model import Node
from portal.audit.notes import Head
from portal.audit.parts import LEVEL, SIZE, Edge, Part, grown, verify_part
from portal.audit.raw_rows import RawRows, opened_rows, rows_of
from portal.core.database import make_engine

#: With fewer parts than this another process would cost more than it saves.
WORTH_IT = 4
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Walked:
    """How far entries fit, the edge of their tree, what is odd, and whether the stored tree differs somewhere."""

    size: int = 0
    edge: Edge = field(default_factory=list)
    odd: tuple[int, str] | None = None
    odd_nodes: bool = False
    #: The roots of the parts, by which the stored tree above them is compared.
    tops: list[bytes] = field(default_factory=list)


def root_of(edge: Edge) -> bytes:
    """The root over an edge."""
    if not edge:
        return EMPTY_ROOT
    current = edge[-1][1]
    for _level, left in reversed(edge[:-1]):
        current = node_hash(left, current)
    return current


def edge_of_tops(tops: Sequence[bytes]) -> Edge:
    """The edge over whole parts."""
    edge: Edge = []
    for top in tops:
        edge = grown(edge, [(LEVEL, top)])
    return edge


def walk(
    session: Session,
    total: int,
    heads: Sequence[tuple[Head, str]],
    progress: Progress,
    begun: Walked,
) -> Walked:
    """Verify entries begun.size + 1 to total, and compare the tree with every head beyond begun.size.

    `heads` are in order of size. Ends at the first entry that does not fit, or at the first head that signed another
    tree.
    """
    walked, confirmed, waiting = begun, begun.size, list(reversed(heads))
    signed = waiting[0][0].size if waiting else 0
    with ExitStack() as stack:
        for part in _parts(session, (walked.size, total), [head.size for head, _ in heads], signed, stack):
            while waiting and waiting[-1][0].size in part.edges:
                head, source = waiting.pop()
                if root_of(grown(walked.edge, part.edges[head.size])) != head.root:
                    walked.odd = (
                        confirmed + 1,
                        f"Entries {confirmed + 1} to {head.size} are not those that the checkpoint {source} signed.",
                    )
                    return walked
                confirmed = head.size
            if part.odd:
                walked.odd = part.odd
                return walked
            walked.edge = grown(walked.edge, part.edge)
            walked.size, walked.odd_nodes = part.last, walked.odd_nodes or part.odd_nodes
            if len(part.edge) == 1 and part.edge[0][0] == LEVEL:
                walked.tops.append(part.edge[0][1])
            progress(walked.size, total)
    return walked


def _parts(
    session: Session,
    between: tuple[int, int],
    sizes: Sequence[int],
    signed: int,
    stack: ExitStack,
) -> Iterator[Part]:
    start, total = between
    engine = session.connection().engine
    work = []
    for first in range(start + 1, total + 1, SIZE):
        last = min(first + SIZE - 1, total)
        work.append((first, last, [size for size in sizes if first <= size <= last], signed))
    processes = min(os.cpu_count() or 1, len(work))
    if len(work) < WORTH_IT or processes < 2 or engine.url.database in {None, "", ":memory:"}:  # noqa: PLR2004
        rows = rows_of(session)
        for first, last, wanted, up_to in work:
            yield verify_part(rows, first, last, wanted, up_to)
        return
    url = engine.url.render_as_string(hide_password=False)
    # Spawned, not forked: whoever calls may have threads and open connections.
    pool: Executor = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_open, initargs=(url,))
    stack.callback(pool.shutdown, cancel_futures=True)
    # The stack closes the pool also when the caller ends at the first odd part.
    yield from pool.map(_verify, work)


def upper_nodes_differ(session: Session, walked: Walked) -> bool:
    """Whether the stored tree from the parts' roots up is another than they make."""
    level, hashes = LEVEL, walked.tops
    wanted = {(level, position): one for position, one in enumerate(hashes)}
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
        level += 1
        wanted.update({(level, position): one for position, one in enumerate(hashes)})
    rows = session.execute(select(Node.level, Node.position, Node.hash).where(Node.level >= LEVEL))
    return {(row.level, row.position): row.hash for row in rows} != wanted


_OPENED: list[RawRows] = []
_KEPT_OPEN = ExitStack()


def _open(url: str) -> None:
    _OPENED.append(_KEPT_OPEN.enter_context(opened_rows(make_engine(url))))


def _verify(work: tuple[int, int, list[int], int]) -> Part:
    return verify_part(_OPENED[0], *work)
