"""One embedded process: started in a group of its own, its output kept in a log, stopped in good time."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_BYTES = 1_000_000
LOG_FILES = 3
WRAPPER = str(Path(__file__).with_name("child.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What to run and how to know that it is up. `stop_seconds` is how long it may take to end by itself.

    Parts of a higher `wave` end before those of a lower one.
    """

    name: str
    title: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    wave: int = 0
    stop_seconds: float = 5.0
    start_seconds: float = 120.0


class Process:
    """A part that runs."""

    def __init__(self, part: Part, environment: Mapping[str, str], logs: Path, *, verbose: bool) -> None:
        self.part = part
        self.log_file = logs / f"{part.name}.log"
        self.last_lines: deque[str] = deque(maxlen=20)
        self.started_at = time.monotonic()
        self._stop_by = float("inf")
        self._verbose = verbose
        self._running = subprocess.Popen(
            [sys.executable, "-I", "-S", WRAPPER, str(os.getpid()), *part.command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the parts in order
        )
        self._pump = threading.Thread(target=self._keep_output, name=f"log-{part.name}", daemon=True)
        self._pump.start()

    @property
    def pid(self) -> int:
        """The process id, which is its group's as well."""
        return self._running.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._running.poll()

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started_at

    @property
    def overdue(self) -> bool:
        """Whether it was asked to stop and has had all the time that its part grants."""
        return time.monotonic() > self._stop_by

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        self._stop_by = time.monotonic() + self.part.stop_seconds
        with contextlib.suppress(ProcessLookupError):
            self._running.terminate()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            self._running.wait(timeout=max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Kill what is left of it and of whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._running.wait()
        self._pump.join(timeout=1.0)

    def _keep_output(self) -> None:
        keeper = RotatingFileHandler(
            self.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )
        stream = self._running.stdout
        if stream is None:
            return
        with stream, contextlib.closing(keeper):
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\n")
                self.last_lines.append(line)
                stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                keeper.emit(logging.makeLogRecord({"msg": f"{stamp} {line}"}))
                if self._verbose:
                    sys.stderr.write(f"{self.part.name}: {line}\n")
