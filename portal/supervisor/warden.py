"""The warden: ends whatever is left of a run when the supervisor is gone, even by `kill -9`.

`python -I -S warden.py RUN` waits on its standard input, whose other end only the supervisor holds. The kernel
closes that end however the supervisor dies. Children die with their parent by themselves (see child.py), their
children do not: a web server's workers, a git in the middle of a commit. They are known by the run's mark in
their environment, which every descendant inherits, and by the process groups that marked processes are in.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

MARK = "COUNTERSIGN_RUN"
PATIENCE_SECONDS = 10.0


def main() -> None:
    """Wait for the end of the supervisor, then end the rest of the run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    end_run(sys.argv[1])


def end_run(run: str) -> None:
    """Kill until nothing of the run is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := processes_of(run)) and time.monotonic() < deadline:
        for pid, group in left.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                # Each child leads a group of its own, so a group holds nothing but this run's processes.
                os.killpg(group, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def processes_of(run: str) -> dict[int, int]:
    """The living processes that carry the run's mark, and the process group of each."""
    mark = f"{MARK}={run}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        # A process that ends while it is looked at, or belongs to somebody else, is none of ours.
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = os.getpgid(int(entry.name))
    found.pop(os.getpid(), None)
    return found


if __name__ == "__main__":
    main()
