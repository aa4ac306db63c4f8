"""Ways into a long document: the tree of bookmarks and the table of named places that links lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reports.pdf.chunk import Stored, array, dictionary, number, string
from reports.pdf.writer import PdfWriter

#: Names in one node of the tree of names.
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A point on a page: the page's object, and points from the bottom left corner."""

    page: int
    x: float
    y: float

    def written(self) -> bytes:
        """The destination (ISO 32000-1 §12.3.2.2)."""
        return array([b"%d 0 R" % self.page, b"/XYZ", number(self.x), number(self.y), b"0"])


@dataclass(slots=True)
class Bookmark:
    """One entry of the outline, with those that hang below it."""

    level: int
    text: str
    place: Place
    below: list[Bookmark] = field(default_factory=list)


def nested(bookmarks: Sequence[Bookmark]) -> list[Bookmark]:
    """The topmost of them, each with those that follow it and have a higher level below it."""
    top: list[Bookmark] = []
    open_ones: list[Bookmark] = []
    for bookmark in bookmarks:
        while open_ones and open_ones[-1].level >= bookmark.level:
            open_ones.pop()
        (open_ones[-1].below if open_ones else top).append(bookmark)
        open_ones.append(bookmark)
    return top


def write_outline(writer: PdfWriter, bookmarks: Sequence[Bookmark]) -> int:
    """Write the outline and return its object."""
    root = writer.take()
    top = nested(bookmarks)
    entries = {"Type": b"/Outlines", **_write_level(writer, root, top, unfolded=True)}
    # Only the topmost two levels are unfolded when the file is opened: a register has hundreds.
    entries["Count"] = b"%d" % (len(top) + sum(len(bookmark.below) for bookmark in top))
    writer.write(root, Stored(dictionary(entries), None))
    return root


def _write_level(
    writer: PdfWriter, parent: int, level: Sequence[Bookmark], *, unfolded: bool = False
) -> dict[str, bytes]:
    if not level:
        return {}
    first = writer.take(len(level))
    for index, bookmark in enumerate(level):
        entries = {
            "Title": string(bookmark.text),
            "Parent": b"%d 0 R" % parent,
            "Dest": bookmark.place.written(),
            **_write_level(writer, first + index, bookmark.below),
        }
        if bookmark.below:
            entries["Count"] = b"%d" % (len(bookmark.below) if unfolded else -len(bookmark.below))
        if index > 0:
            entries["Prev"] = b"%d 0 R" % (first + index - 1)
        if index + 1 < len(level):
            entries["Next"] = b"%d 0 R" % (first + index + 1)
        writer.write(first + index, Stored(dictionary(entries), None))
    return {"First": b"%d 0 R" % first, "Last": b"%d 0 R" % (first + len(level) - 1)}


def write_names(writer: PdfWriter, places: dict[str, Place]) -> int:
    """Write the tree of names (ISO 32000-1 §7.9.6) and return its object."""
    # Sorted by what the strings hold, not by how they are written.
    ordered = [
        (string(name), places[name])
        for name in sorted(
            places,
            key=lambda name: name.encode() if name.isascii() else b"\xfe\xff" + name.encode("utf-16-be"),
        )
    ]
    kids = []
    for start in range(0, len(ordered), TOGETHER):
        some = ordered[start : start + TOGETHER]
        entries = {
            "Limits": array([some[0][0], some[-1][0]]),
            "Names": array(item for name, place in some for item in (name, place.written())),
        }
        kids.append(b"%d 0 R" % writer.add(dictionary(entries)))
    return writer.add(dictionary({"Kids": array(kids)}))
