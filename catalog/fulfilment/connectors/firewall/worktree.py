"""One writer at a time, and a work tree that shows what the branch says."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.core.git import GitError, git

#: Seconds that a change waits for another one's end.
WAIT = 60.0
#: Seconds after which a lock file of git's belongs to a process that was killed: git holds one for milliseconds.
ABANDONED_AFTER = 10.0
_logger = logging.getLogger(__name__)


class BusyError(Exception):
    """Another change holds the policy for too long."""


@contextmanager
def hold(folder: Path, wait: float = WAIT) -> Iterator[None]:
    """Hold the folder against every other process. The kernel lets go when the holder dies, however it dies.

    Raises BusyError after `wait` seconds, and GitError when there is no such folder.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise GitError(f"{error.strerror}: {folder}") from error
    try:
        _take(descriptor, wait)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(repository: Path, wait: float = WAIT) -> Iterator[Path]:
    """Hold the repository for one change; yields a path for a temporary index. Raises as `hold` does."""
    with hold(repository, wait):
        _clear_abandoned(repository)
        folder = repository / ".git" / "countersign"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise GitError(f"{error.strerror}: {folder}") from error
        yield folder / "index"
        shutil.rmtree(folder, ignore_errors=True)


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
