"""Chunks: the objects of one part in a file, with their references left open until the parts are joined.

A part's child cannot know the numbers that its objects will have in the whole file, and a file of hundreds of
thousands of objects cannot be read back into memory to number them. So the child writes each object as text in which
a reference is a mark that the joining replaces while it copies. Marks are control characters, which no other text
of an object holds: strings that have any are written in hex.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

#: Kinds of marks: an object of this chunk, a key of the tree of parents, something that the joining numbers.
OBJECT, KEY, NAMED = b"\x01", b"\x03", b"\x04"
_END = b"\x02"
_MARK = re.compile(rb"([\x01\x03\x04])([a-z0-9]+)\x02")
_HEADER = struct.Struct("<cII")
_SEVERAL, _STREAM = b"o", b"s"
_PLAIN = re.compile(rb"[ -~]*")


@dataclass(frozen=True, slots=True)
class Stored:
    """One object: its dictionary with marks, and for a stream what it holds (already encoded)."""

    text: bytes
    stream: bytes | None


def mark(kind: bytes, name: int | str) -> bytes:
    """A mark that `resolve` replaces."""
    return kind + str(name).encode() + _END


def resolve(text: bytes, objects: int, keys: int, named: Mapping[bytes, int]) -> bytes:
    """The text with every mark replaced: objects and keys counted from here, named ones looked up."""

    def place(found: re.Match[bytes]) -> bytes:
        kind, name = found.groups()
        if kind == OBJECT:
            return b"%d 0 R" % (objects + int(name))
        if kind == KEY:
            return b"%d" % (keys + int(name))
        return b"%d 0 R" % named[name]

    return _MARK.sub(place, text)


def write(file: BinaryIO, stored: Stored) -> None:
    """Append one object."""
    stream = stored.stream
    file.write(_HEADER.pack(_SEVERAL if stream is None else _STREAM, len(stored.text), len(stream or b"")))
    file.write(stored.text)
    if stream is not None:
        file.write(stream)


def read(path: Path) -> Iterator[Stored]:
    """The objects in the order in which they were written."""
    with path.open("rb") as file:
        while header := file.read(_HEADER.size):
            kind, text, stream = _HEADER.unpack(header)
            yield Stored(file.read(text), file.read(stream) if kind == _STREAM else None)


def string(value: str) -> bytes:
    """A text string (ISO 32000-1 §7.9.2.2)."""
    try:
        content = value.encode("ascii")
    except UnicodeEncodeError:
        content = b""
    if (content or not value) and _PLAIN.fullmatch(content):
        return b"(" + re.sub(rb"([\\()])", rb"\\\1", content) + b")"
    return b"<feff" + value.encode("utf-16-be").hex().encode() + b">"


def number(value: float) -> bytes:
    """A number, without an exponent."""
    if isinstance(value, int) or value.is_integer():
        return b"%d" % int(value)
    return f"{value:.4f}".rstrip("0").rstrip(".").encode()


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    """A dictionary of values that are written already."""
    return b"<<" + b"".join(b"/" + key.encode() + b" " + value for key, value in entries.items()) + b">>"


def array(values: Any) -> bytes:
    """An array of values that are written already."""
    return b"[" + b" ".join(values) + b"]"


Written = Callable[[Any], bytes]
