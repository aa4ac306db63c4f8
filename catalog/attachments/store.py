"""Where contents lie: under their SHA-256 digest, in the data folder or in S3-compatible storage."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from portal.core.errors import Unavailable
from portal.core.language import _

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@runtime_checkable
class Store(Protocol):
    """A place for contents. Every call may raise Unavailable with a sentence."""

    def put(self, content: bytes) -> str:
        """Keep the content, durably, and give its digest; what is there already counts as new again."""
        ...

    def get(self, digest: str) -> bytes:
        """The content, whose digest was checked. Raises Unavailable when it is not there or not whole."""
        ...

    def delete(self, digest: str) -> None:
        """Let go of the content; nothing happens when it is not there."""
        ...

    def older_than(self, moment: datetime) -> Iterator[str]:
        """The digests of what was put before this moment (UTC) and not since."""
        ...


def digest_of(content: bytes) -> str:
    """`sha256:` and hex."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def checked(content: bytes, digest: str) -> bytes:
    """The content, if it is what was put there. Raises Unavailable."""
    if digest_of(content) != digest:
        raise Unavailable(_("This file is not what was stored, so it is not given out. Tell the operators."))
    return content


def hex_of(digest: str) -> str:
    """The hex digits of a digest. Raises ValueError for anything else, so that no path can be made of it."""
    if not _DIGEST.fullmatch(digest):
        message = f"{digest!r} is no digest"
        raise ValueError(message)
    return digest.removeprefix("sha256:")


class FolderStore:
    """Contents as files `ab/cd/<hex>` below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Write to a file beside, make it durable, and give it its name in one step."""
        digest = digest_of(content)
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists() and path.stat().st_size == len(content):
                os.utime(path)
                return digest
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            _sync_folder(path.parent)
        except OSError as error:
            raise Unavailable(_("The file cannot be stored now. Try again in a few minutes.")) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Read the file and check it."""
        try:
            return checked(self._path(digest).read_bytes(), digest)
        except OSError as error:
            raise Unavailable(_("This file cannot be read now. Tell the operators.")) from error

    def delete(self, digest: str) -> None:
        """Remove the file."""
        self._path(digest).unlink(missing_ok=True)

    def older_than(self, moment: datetime) -> Iterator[str]:
        """By the files' own times; what a crash left half-written goes with them."""
        for path in sorted(self.folder.glob("??/??/*")):
            try:
                old = datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment
            except FileNotFoundError:
                continue
            if old and _DIGEST.fullmatch(f"sha256:{path.name}"):
                yield f"sha256:{path.name}"
        for path in self.folder.glob("??/??/.new-*"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment:
                path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self.folder / name[:2] / name[2:4] / name


def _sync_folder(folder: Path) -> None:
    """The name is durable only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
