"""Objects of pydyf as a chunk: only those that the pages need, each written with marks in place of references."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pydyf

from reports.pdf import chunk
from reports.pdf.chunk import Stored

LEVEL = 6
_REFERENCE = re.compile(rb"(\d+) 0 R")


class Serial:
    """Numbers the objects of a pydyf file anew, in the order in which they are first asked for."""

    def __init__(self, pdf: Any, named: Mapping[bytes, str]) -> None:
        """`named` has the references that mean one object of the whole file."""
        self._pdf = pdf
        self._named = {reference: chunk.mark(chunk.NAMED, name) for reference, name in named.items()}
        self._numbers: dict[int, int] = {}
        self._order: list[Any] = []

    @property
    def count(self) -> int:
        """How many objects were asked for."""
        return len(self._order)

    def number(self, reference: bytes) -> int:
        """The object's number in the chunk, from 0."""
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            message = f"{reference!r} is no reference"
            raise ValueError(message)
        old = int(found[1])
        new = self._numbers.get(old)
        if new is None:
            new = self._numbers[old] = len(self._order)
            self._order.append(self._pdf.objects[old])
        return new

    def include(self, content: Any) -> int:
        """The number of an object that pydyf's file does not have."""
        self._order.append(content)
        return len(self._order) - 1

    def save(self, path: Path) -> None:
        """Write all that was asked for, and what that refers to."""
        done = 0
        with path.open("wb") as file:
            # Writing an object asks for those that it refers to.
            while done < len(self._order):
                chunk.write(file, self._stored(self._order[done]))
                done += 1

    def _stored(self, content: Any) -> Stored:
        if not isinstance(content, pydyf.Stream):
            return Stored(self.text(content), None)
        stream = b"\n".join(item if type(item) is bytes else self._operator(item) for item in content.stream)
        entries = dict(content.extra)
        # Metadata stay readable for tools that know nothing of PDF.
        if "Filter" not in entries and entries.get("Type") != "/Metadata":
            stream = zlib.compress(stream, LEVEL)
            entries["Filter"] = "/FlateDecode"
        entries["Length"] = len(stream)
        return Stored(self._dictionary(entries), stream)

    @staticmethod
    def _operator(item: Any) -> bytes:
        """An operator of a content stream: there are no references in these."""
        content: bytes = item.data if isinstance(item, pydyf.Object) else str(item).encode("ascii")
        return content

    def text(self, item: Any) -> bytes:
        """The object with marks in place of references."""
        kind = type(item)
        if kind is bytes:
            return self._bytes(item)
        if kind is int or kind is float:
            return chunk.number(item)
        if kind is str:
            return str(item).encode("ascii")
        if isinstance(item, pydyf.String):
            value = item.string
            return chunk.string(value.decode() if isinstance(value, bytes) else value)
        if isinstance(item, Mapping):
            return self._dictionary(item)
        if isinstance(item, Iterable):
            return b"[" + b" ".join(map(self.text, item)) + b"]"
        message = f"an object of {kind} cannot be written"
        raise TypeError(message)

    def _dictionary(self, entries: Mapping[str, Any]) -> bytes:
        text = self.text
        return (
            b"<<"
            + b"".join(b"/%b %b" % (str(key).encode(), text(value)) for key, value in entries.items())
            + b">>"
        )

    def _bytes(self, item: bytes) -> bytes:
        if not item.endswith(b" R"):
            return item
        named = self._named.get(item)
        return chunk.mark(chunk.OBJECT, self.number(item)) if named is None else named
