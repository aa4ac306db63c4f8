"""Writing the ledger's entries out as JSON lines; into a file so that what breaks off is gone on with."""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import func, select

from portal.audit.model import Entry
from portal.audit.queries import bodies
from portal.core.database import Database
from portal.core.errors import PortalError

Progress = Callable[[int, int], None]
BLOCK = 1 << 16
#: zlib's number for a gzip member, header and all; it names no time, so the same entries give the same bytes.
_GZIP = zlib.MAX_WBITS | 16
_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Exported:
    """The numbers after and up to which entries were written, and the first number that the ledger does not have."""

    since: int
    last: int
    missing: int | None = None


def export_to(db: Database, to: BinaryIO, *, since: int, gz: bool, progress: Progress) -> Exported:
    """Write the entries numbered above `since` that the ledger has now, oldest first, a line each.

    With `gz` each part is a gzip member of its own: a file that breaks off can be read up to its last whole part.
    `progress` is told entries done and in all. What is missing is passed over and told of.
    """
    with db.reading() as session:
        until = session.scalar(select(func.max(Entry.number))) or 0
    last, missing, wanted = since, None, max(0, until - since)
    progress(0, wanted)
    for part in bodies(db, since, until):
        text = "".join(f"{body}\n" for _, body in part).encode()
        to.write(_member(text) if gz else text)
        to.flush()
        for number, _ in part:
            if missing is None and number != last + 1:
                missing = last + 1
            last = number
        progress(last - since, wanted)
    return Exported(since, last, missing)


def export_into(db: Database, path: Path, *, since: int | None, gz: bool, progress: Progress) -> Exported:
    """Export into the file; one that is there is gone on with after its last number.

    `since` says where a new file begins. A line or part that broke off is written anew. Raises PortalError when the
    file is not such a file, is another ledger's, is being written, or would get a gap.
    """
    with _held(path) as file:
        begin = since or 0
        if path.stat().st_size:
            end, line = _last_line(path, file, gz=gz)
            begin = _number_in(path, line)
            _refuse_another_ledger(db, path, begin, line)
            if since is not None and since > begin:
                message = f"{path} ends with entry {begin}: going on after {since} would leave a gap in it."
                raise PortalError(message)
            # Not before it is sure that this is the file that was meant.
            file.seek(end)
            file.truncate()
        done = export_to(db, file, since=begin, gz=gz, progress=progress)
        os.fsync(file.fileno())
        return done


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO]:
    """The file, made where it is not there yet, and nobody else's until the block ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"Another export is writing {path}."
            raise PortalError(message) from error
        yield file


def _last_line(path: Path, file: BinaryIO, *, gz: bool) -> tuple[int, bytes]:
    """Where what is whole in the file ends, and its last line."""
    if (file.read(len(_MAGIC)) == _MAGIC) is not gz:
        message = f"{path} is {'not ' if gz else ''}compressed: it cannot be gone on with like this."
        raise PortalError(message)
    end, line = _whole_members(file) if gz else _whole_lines(file)
    if line is None:
        # It may be anything, so it is not written over.
        message = f"{path} holds no whole entry; remove it to begin anew."
        raise PortalError(message)
    return end, line


def _whole_lines(file: BinaryIO) -> tuple[int, bytes | None]:
    """Where the last newline ends, and the line before it; read from the end, whatever the file's size."""
    position = file.seek(0, os.SEEK_END)
    tail = b""
    while position and tail.count(b"\n") < 2:  # noqa: PLR2004  (the one that ends the line, and the one before it)
        step = min(BLOCK, position)
        position -= step
        file.seek(position)
        tail = file.read(step) + tail
    end = tail.rfind(b"\n")
    if end < 0:
        return 0, None
    return position + end + 1, tail[tail.rfind(b"\n", 0, end) + 1 : end]


def _whole_members(file: BinaryIO) -> tuple[int, bytes | None]:
    """Where the last whole gzip member ends, and its last line. The whole file is read, in little memory."""
    end, line = 0, None
    size = file.seek(0, os.SEEK_END)
    while end < size:
        file.seek(end)
        unpacked, read, tail = zlib.decompressobj(_GZIP), 0, b""
        try:
            while not unpacked.eof and (block := file.read(BLOCK)):
                read += len(block)
                tail = (tail + unpacked.decompress(block)).rpartition(b"\n{")[2]
        except zlib.error:
            break
        if not unpacked.eof:
            break
        end += read - len(unpacked.unused_data)
        line = b"{" + tail.removeprefix(b"{").removesuffix(b"\n")
    return end, line


def _number_in(path: Path, line: bytes) -> int:
    try:
        number = json.loads(line)["number"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no export of a ledger."
        raise PortalError(message) from error
    if type(number) is not int:
        message = f"{path} is no export of a ledger."
        raise PortalError(message)
    return number


def _refuse_another_ledger(db: Database, path: Path, number: int, line: bytes) -> None:
    with db.reading() as session:
        body = session.scalar(select(Entry.body).where(Entry.number == number))
    if body is None or body.encode() != line:
        message = f"{path} is not of this ledger: its last entry, {number}, is another one here."
        raise PortalError(message)


def _member(text: bytes) -> bytes:
    packed = zlib.compressobj(wbits=_GZIP)
    return packed.compress(text) + packed.flush()
