"""One writer at a time, and a work tree that shows what the branch says."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.fulfilment.connectors.firewall.git import GitError, git

#: Seconds that a change waits for another one's end.
WAIT = 60.0
#: Seconds after which a lock file of git's belongs to a process that was killed: git holds one for milliseconds.
ABANDONED_AFTER = 10.0
_logger = logging.getLogger(__name__)


class BusyError(Exception):
    """Another change holds the policy for too long."""


@contextmanager
def exclusive(repository: Path, wait: float = WAIT) -> Iterator[Path]:
    """Hold the policy against every other process; yields a path for a temporary index.

    The kernel drops the lock when its holder dies, however it dies. Raises BusyError after `wait` seconds,
    and GitError when there is no repository to hold.
    """
    folder = repository / ".git" / "countersign"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise GitError(f"{error.strerror}: {folder}") from error
    try:
        _take(descriptor, wait)
        _clear_abandoned(repository)
        index = folder / "index"
        index.unlink(missing_ok=True)
        (folder / "index.lock").unlink(missing_ok=True)
        yield index
        index.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _take(descriptor: int, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise BusyError from None
            time.sleep(0.02)
        else:
            return


def _clear_abandoned(repository: Path) -> None:
    """Take away what a killed git left behind; it would refuse every later change."""
    for name in ("index.lock", "HEAD.lock", "packed-refs.lock", "refs/heads/main.lock"):
        path = repository / ".git" / name
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue


def show(repository: Path) -> None:
    """Make the work tree what the branch says. The branch is the truth, so a failure is only logged."""
    try:
        git(repository, "read-tree", "--reset", "-u", "HEAD")
        git(repository, "clean", "-ffdxq", "--", ".")
    except GitError as error:
        _logger.warning("the firewall policy's work tree does not show its last commit: %s", error)
