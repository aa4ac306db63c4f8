"""Files that survive a crash at any instruction: written whole or not at all, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

OWNER_ONLY = 0o600
READABLE = 0o644
_WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.02


def write_whole(file: Path, content: bytes, *, mode: int = OWNER_ONLY) -> None:
    """Replace the file in one step and return only when disk holds it."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as new:
            os.fchmod(new.fileno(), mode)
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    # The new name itself is on disk only after the folder is, too.
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(file: Path, *, wait: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the file's lock; the system frees it when the process dies.

    Raises a passing ConnectorError when another holds it for `wait` seconds, OSError when the folder is not there.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = say(
                        "The certificate authority is busy with another request. "
                        "The portal tries again by itself."
                    )
                    raise ConnectorError(message) from None
                time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(handle)
