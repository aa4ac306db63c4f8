"""Other processes that tell beside this one which parts of the ledger fit; each of them runs portal.audit.fitting."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine

from portal.audit import fitting
from portal.audit.fitting import Fit, Work
from portal.core.database import how_to_connect


class Others:
    """As many processes as are wanted, over connections of their own. To be closed."""

    def __init__(self, engine: Engine, count: int) -> None:
        opening = (engine.dialect.name, *how_to_connect(engine))
        self._all = [_Other(opening) for _ in range(count)]

    @property
    def waiting(self) -> int:
        """How many parts were given to them that are not told yet."""
        return sum(len(one.given) for one in self._all)

    def give(self, work: Work) -> Future[Fit | None]:
        """Have the least busy of them tell of a part. The future fails when that process does."""
        return min(self._all, key=lambda one: len(one.given)).give(work)

    def close(self) -> None:
        """End them, whatever they are doing."""
        for one in self._all:
            one.close()


class _Other:
    def __init__(self, opening: tuple[Any, ...]) -> None:
        # A program of its own and not a fork: whoever calls may have threads and open connections. Nor what
        # multiprocessing spawns, which begins by loading the program that we are.
        self._process = subprocess.Popen(
            [sys.executable, "-I", fitting.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        #: What was given and is not told yet, in order.
        self.given: deque[Future[Fit | None]] = deque()
        self._ended: Exception | None = None
        self._lock = threading.Lock()
        self._write(opening)
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def give(self, work: Work) -> Future[Fit | None]:
        future: Future[Fit | None] = Future()
        with self._lock:
            if self._ended:
                future.set_exception(self._ended)
                return future
            self.given.append(future)
        self._write(work)
        return future

    def close(self) -> None:
        self._process.kill()
        self._listening.join()
        with suppress(OSError):
            # Whatever it was not told any more is told to nobody.
            self._process.__exit__(None, None, None)

    def _write(self, content: object) -> None:
        stream = self._process.stdin
        # Whoever listens to it is told when it has ended.
        with suppress(OSError):
            if stream:
                stream.write(pickle.dumps(content))
                stream.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        try:
            while stream:
                told = pickle.load(stream)  # noqa: S301  (our own program's)
                self.given.popleft().set_result(Fit(*told) if told else None)
        except Exception as error:  # noqa: BLE001  (whatever it was: this process does not go on)
            with self._lock:
                self._ended = error
            for future in self.given:
                future.set_exception(error)
            self.given.clear()
