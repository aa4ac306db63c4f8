"""A PDF file written from its first byte to its last, so that its size costs no memory but eight bytes an object.

Objects without a stream go into object streams (ISO 32000-1 §7.5.7), and the cross-reference is a stream (§7.5.8).
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from typing import BinaryIO

from reports.pdf.chunk import Stored, dictionary, string

#: Objects in one object stream. More would make a reader unpack more for one of them.
TOGETHER = 200
LEVEL = 6
_FREE, _PLAIN, _PACKED = 0, 1, 2


class PdfWriter:
    """Numbers are taken first and written later, in any order."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._digest = hashlib.sha256()
        self._kinds = array("B", [_FREE])
        #: An offset, or an object stream's number and the place in it.
        self._places = array("Q", [0])
        self._waiting: list[tuple[int, bytes]] = []
        # The second line tells that the file holds binary (ISO 19005-3 §6.1.2).
        self._put(b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n")

    def take(self, count: int = 1) -> int:
        """The first of `count` new numbers."""
        first = len(self._kinds)
        self._kinds.extend([_FREE] * count)
        self._places.extend([0] * count)
        return first

    def write(self, number: int, stored: Stored) -> None:
        """Write the object that has this number."""
        if stored.stream is None:
            self._waiting.append((number, stored.text))
            if len(self._waiting) == TOGETHER:
                self._pack()
            return
        self._kinds[number], self._places[number] = _PLAIN, self._at
        self._put(b"%d 0 obj\n" % number + stored.text + b"\nstream\n")
        self._put(stored.stream)
        self._put(b"\nendstream\nendobj\n")

    def add(self, text: bytes, stream: bytes | None = None) -> int:
        """Write an object under a new number, and return it."""
        number = self.take()
        self.write(number, Stored(text, stream))
        return number

    def end(self, *, root: int, about: int, identifier: bytes) -> None:
        """Write what is left: the last object stream and the cross-reference."""
        if self._waiting:
            self._pack()
        number = self.take()
        self._kinds[number], self._places[number] = _PLAIN, self._at
        width = max(1, (self._at.bit_length() + 7) // 8)
        rows = bytearray()
        compressor = zlib.compressobj(LEVEL)
        packed = bytearray()
        for kind, place in zip(self._kinds, self._places, strict=True):
            second, third = divmod(place, 1 << 16) if kind == _PACKED else (place, 0xFFFF * (kind == _FREE))
            rows += bytes((kind,)) + second.to_bytes(width, "big") + third.to_bytes(2, "big")
            if len(rows) > 1 << 16:
                packed += compressor.compress(bytes(rows))
                rows.clear()
        packed += compressor.compress(bytes(rows)) + compressor.flush()
        start = self._at
        text = dictionary(
            {
                "Type": b"/XRef",
                "Size": b"%d" % len(self._kinds),
                "W": b"[1 %d 2]" % width,
                "Root": b"%d 0 R" % root,
                "Info": b"%d 0 R" % about,
                "ID": b"["
                + string(identifier.decode())
                + b" <"
                + self._digest.hexdigest()[:32].encode()
                + b">]",
                "Filter": b"/FlateDecode",
                "Length": b"%d" % len(packed),
            }
        )
        self._put(b"%d 0 obj\n" % number + text + b"\nstream\n" + bytes(packed) + b"\nendstream\nendobj\n")
        self._put(b"startxref\n%d\n%%%%EOF\n" % start)

    def _pack(self) -> None:
        number = self.take()
        index, content = [], bytearray()
        for place, (packed, text) in enumerate(self._waiting):
            self._kinds[packed], self._places[packed] = _PACKED, number << 16 | place
            index.append(b"%d %d" % (packed, len(content)))
            content += text + b"\n"
        head = b" ".join(index) + b"\n"
        body = zlib.compress(head + bytes(content), LEVEL)
        entries = {
            "Type": b"/ObjStm",
            "N": b"%d" % len(self._waiting),
            "First": b"%d" % len(head),
            "Filter": b"/FlateDecode",
            "Length": b"%d" % len(body),
        }
        self._waiting.clear()
        self.write(number, Stored(dictionary(entries), body))

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self._at += len(content)
