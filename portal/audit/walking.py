"""Walking the whole ledger, or what is new of it: its parts are verified side by side and put together here."""

from __future__ import annotations

import gc
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.merkle import EMPTY_ROOT, node_hash
from portal.audit.model import Node
from portal.audit.notes import Head
from portal.audit.parts import LEVEL, SIZE, Edge, Part, first_odd, grown, verify_part
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
    #: SHA-256 over the checkpoints that were compared with them; see portal.audit.verified.
    heads: str = ""


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


class Walk:
    """Verifies entries begun.size + 1 to total; the other processes begin as soon as it is made.

    `sizes` are those that checkpoints beyond begun.size state, in order, signed or not: what each signed is compared
    by `go`. To be used as a context manager, which ends the processes also when the first odd part ends the walk.
    """

    def __init__(self, session: Session, total: int, sizes: Sequence[int], begun: Walked) -> None:
        self._rows, self._total, self.begun = rows_of(session), total, begun
        signed = sizes[-1] if sizes else 0
        self._work = []
        for first in range(begun.size + 1, total + 1, SIZE):
            last = min(first + SIZE - 1, total)
            within = sizes[bisect_left(sizes, first) : bisect_right(sizes, last)]
            self._work.append((first, last, within, signed))
        self._stack = ExitStack()
        self._futures: list[Future[Part]] = []
        engine = session.connection().engine
        # This process is one of those that work.
        others = min(os.cpu_count() or 1, len(self._work)) - 1
        if len(self._work) < WORTH_IT or others < 1 or engine.url.database in {None, "", ":memory:"}:
            return
        url = engine.url.render_as_string(hide_password=False)
        # Spawned, not forked: whoever calls may have threads and open connections.
        pool = ProcessPoolExecutor(others, get_context("spawn"), initializer=_open, initargs=(url,))
        self._stack.callback(pool.shutdown, cancel_futures=True)
        self._futures = [pool.submit(_verify, part) for part in self._work]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def go(self, heads: Sequence[tuple[Head, str]], progress: Progress) -> Walked:
        """Compare the tree with every head beyond begun.size; they are in order of size.

        Ends at the first entry that does not fit, or at the first head that signed another tree.
        """
        walked, confirmed, waiting = self.begun, self.begun.size, list(reversed(heads))
        for part in self._parts():
            while waiting and waiting[-1][0].size in part.edges:
                head, source = waiting.pop()
                if root_of(grown(walked.edge, part.edges[head.size])) != head.root:
                    walked.odd = first_odd(self._rows, confirmed + 1, head.size) or (
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
            progress(walked.size, self._total)
        return walked

    def _parts(self) -> Iterator[Part]:
        """In order. While the next one is not there, this process takes from the end what no other has begun."""
        if not self._futures:
            yield from (verify_part(self._rows, *one) for one in self._work)
            return
        told, end = 0, len(self._work)
        own: dict[int, Part] = {}
        while told < len(self._work):
            if not self._futures[told].done() and self._futures[end - 1].cancel():
                end -= 1
                own[end] = verify_part(self._rows, *self._work[end])
                continue
            yield own.pop(told) if told >= end else self._futures[told].result()
            told += 1


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
    # Rows come by the thousand and none of them forms a cycle.
    gc.disable()
    _OPENED.append(_KEPT_OPEN.enter_context(opened_rows(make_engine(url))))


def _verify(work: tuple[int, int, Sequence[int], int]) -> Part:
    return verify_part(_OPENED[0], *work)
