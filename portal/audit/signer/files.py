"""The files of the signer's folder: written whole or not at all, kept by the disk before anything follows from them."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.audit.signer.refusals import Unready


def write_durably(file: Path, text: str) -> None:
    """The file holds the text, and will after a crash too; only its owner may read it. Raises Unready."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        temporary.replace(file)
        _sync_folder(file.parent)
    except OSError as error:
        message = f"The signer cannot keep {file}: {error.strerror}. Nothing is signed."
        raise Unready(message) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else, in this process or another, reads or changes the signer's folder meanwhile. Raises Unready."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"The signer's folder {folder} cannot be used: {error.strerror}."
        raise Unready(message) from error
    try:
        # Opened anew each time, so that it excludes other threads of this process as well (flock(2)).
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
