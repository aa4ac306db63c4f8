"""The folder in which a long document is made: beside its target, and gone afterwards, even when the maker was killed."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "lock"


@contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """An empty folder on the same disk as `target`; those that killed processes left there are removed first."""
    prefix = f".{target.name}-"
    for left in target.parent.glob(f"{prefix}*"):
        _remove_abandoned(left)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _remove_abandoned(folder: Path) -> None:
    try:
        with (folder / _LOCK).open("r") as lock:
            # The kernel gave the lock back when its holder ended.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        # Somebody is at work in it, or has only just made it.
        return
