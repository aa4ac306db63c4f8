"""One supervisor per data folder: a lock that the kernel takes back however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.core.errors import SettingsError


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Hold the lock file while the block runs. Raises SettingsError when another process holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            message = (
                f"Countersign is already running on {file.parent.parent} (process {holder}). "
                "Stop it, or choose another data folder with COUNTERSIGN_HOME."
            )
            raise SettingsError(message) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
