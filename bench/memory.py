"""The memory of a process and of all its children, added up while something runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Seconds between two looks.
EVERY = 0.02


class Watch:
    """Within its context, the largest sum of the resident memory of this process and all below it."""

    def __init__(self) -> None:
        self.peak = 0
        #: The most of all processes below this one, which may have been at another moment.
        self.below = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def mebibytes(self) -> float:
        """The peak in MiB."""
        return self.peak / 2**20

    def _look(self) -> None:
        while True:
            each = [_resident(number) for number in family(os.getpid())]
            self.peak = max(self.peak, sum(each))
            self.below = max(self.below, sum(each[1:]))
            if self._over.wait(EVERY):
                return


def family(number: int) -> list[int]:
    """A process and all below it."""
    found = [number]
    for task in Path(f"/proc/{number}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += family(int(child))
        except OSError:
            # It ended between two looks.
            continue
    return found


def _resident(number: int) -> int:
    try:
        return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
