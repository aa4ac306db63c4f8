"""The children that render the parts of a long document, several at once, and the way in which they are spoken to."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from reports.pdf.render import MEMORY_BYTES, RenderError, environment, sentence

#: Seconds by the clock that one part may take before its child is ended.
PART_SECONDS = 180


class Hand:
    """One child, started when it gets its first job."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._command = [
            sys.executable,
            "-I",
            "-m",
            "reports.pdf.hand",
            str(folder),
            str(scratch),
            str(MEMORY_BYTES),
        ]
        self._scratch = scratch
        self._process: subprocess.Popen[bytes] | None = None

    def do(self, job: dict[str, Any], html: str) -> dict[str, Any]:
        """The child's answer. Raises RenderError."""
        process = self._process or self._start()
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            message = "the child was started with pipes"
            raise RuntimeError(message)
        content = html.encode()
        try:
            stdin.write(json.dumps({**job, "html": len(content)}).encode() + b"\n" + content)
            stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        ready, _, _ = select.select([stdout], [], [], PART_SECONDS)
        if not ready:
            self.stop()
            raise RenderError(sentence(-signal.SIGXCPU, "", PART_SECONDS))
        answer = stdout.readline()
        if not answer:
            raise self._ended()
        told: dict[str, Any] = json.loads(answer)
        return told

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115  (as long as the child)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            cwd="/",
        )
        return self._process

    def _ended(self) -> RenderError:
        process = self._process
        status = process.wait() if process else 0
        self._errors.seek(0)
        why = self._errors.read()[-4000:].decode(errors="replace").strip()
        return RenderError(sentence(status, why, PART_SECONDS))

    def stop(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._errors.close()
            self._process = None


class Crew:
    """So many children at once; leaving the context ends them."""

    def __init__(self, folder: Path, scratch: Path, size: int) -> None:
        self._hands = [Hand(folder, scratch) for _ in range(size)]
        self._free: SimpleQueue[Hand] = SimpleQueue()
        for hand in self._hands:
            self._free.put(hand)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="pdf-part")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What waits is dropped before the children end, or it would start another.
        self._threads.shutdown(wait=False, cancel_futures=True)
        for hand in self._hands:
            hand.stop()
        self._threads.shutdown(wait=True)

    def ask(self, job: dict[str, Any], html: str) -> Future[dict[str, Any]]:
        """The answer to a job, when a child has had time for it."""
        return self._threads.submit(self._ask, job, html)

    def _ask(self, job: dict[str, Any], html: str) -> dict[str, Any]:
        hand = self._free.get()
        try:
            return hand.do(job, html)
        finally:
            self._free.put(hand)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))
