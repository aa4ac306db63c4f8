"""Walking the whole ledger, or what is new of it: its parts are verified side by side and put together here."""

from __future__ import annotations

import gc
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy.orm import Session

from portal.audit.fitting import LEVEL, SIZE, Edge, Fit, Work
from portal.audit.merkle import EMPTY_ROOT, node_hash
from portal.audit.notes import Head
from portal.audit.others import Others
from portal.audit.parts import Part, first_odd, grown, verify_part
from portal.audit.raw_rows import rows_of

#: With fewer parts than this another process would cost more than it saves.
WORTH_IT = 4
#: More would take the database's connections from the portal.
MOST = 8
#: Parts that one of them verifies while this process reads ten thousand heads.
BEFOREHAND = 16
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
        self._signed = signed = max((size for size in sizes if size <= total), default=0)
        self._work: list[Work] = []
        for first in range(begun.size + 1, total + 1, SIZE):
            last = min(first + SIZE - 1, total)
            within = sizes[bisect_left(sizes, first) : bisect_right(sizes, last)]
            self._work.append((first, last, within, signed))
        self._stack = ExitStack()
        self._others: Others | None = None
        self._ahead = 0
        self._given: list[Future[Fit | None]] = []
        engine = session.connection().engine
        # This process is one of those that work.
        count = min(os.cpu_count() or 1, MOST, len(self._work)) - 1
        if len(self._work) < WORTH_IT or count < 1 or engine.url.database in {None, "", ":memory:"}:
            return
        self._others = Others(engine, count)
        self._stack.callback(self._others.close)
        # Enough that none of them waits while this process reads the heads, and later while it verifies a part.
        self._give(len(self._work) // 2, BEFOREHAND * count)
        self._ahead = 2 * count + 1

    def __enter__(self) -> Self:
        # Rows come by the thousand and none of them forms a cycle: looking for some costs a fifth as much again.
        if gc.isenabled():
            gc.disable()
            self._stack.callback(gc.enable)
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
                # Of those before it, some may be as yet vouched for by a head that stands after it.
                walked.odd = first_odd(self._rows, confirmed + 1, part.odd[0] - 1) or part.odd
                return walked
            walked.edge = grown(walked.edge, part.edge)
            walked.size, walked.odd_nodes = part.last, walked.odd_nodes or part.odd_nodes
            if len(part.edge) == 1 and part.edge[0][0] == LEVEL:
                walked.tops.append(part.edge[0][1])
            progress(walked.size, self._total)
        if confirmed < self._signed:
            # What states a size there is no head of ours.
            walked.odd = first_odd(self._rows, confirmed + 1, self._signed)
        return walked

    def _parts(self) -> Iterator[Part]:
        """In order. While the next one is not there, this process takes from the end what was given to no other."""
        told, end = 0, len(self._work)
        own: dict[int, Part] = {}
        while told < len(self._work):
            self._give(end, self._ahead)
            if len(self._given) < end and not (told < len(self._given) and self._given[told].done()):
                end -= 1
                own[end] = verify_part(self._rows, *self._work[end])
                continue
            yield own.pop(told) if told >= end else self._taken(told)
            told += 1

    def _give(self, end: int, most: int) -> None:
        """Have the others begin parts before `end`, `most` at a time: what is given is not taken back."""
        while self._others and self._others.waiting < most and len(self._given) < end:
            self._given.append(self._others.give(self._work[len(self._given)]))

    def _taken(self, number: int) -> Part:
        try:
            fit = self._given[number].result()
        except Exception:  # noqa: BLE001  (it may be killed, or get no connection; what stops us too is met again here)
            fit = None
        first, last, *_ = self._work[number]
        return Part(first, last, **fit._asdict()) if fit else verify_part(self._rows, *self._work[number])


def upper_nodes_differ(session: Session, walked: Walked) -> bool:
    """Whether the stored tree from the parts' roots up is another than they make."""
    rows, level, hashes = rows_of(session), LEVEL, walked.tops
    while hashes:
        if rows.nodes(level, 0, len(hashes)) != (len(hashes), b"".join(hashes)):
            return True
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
        level += 1
    return False
