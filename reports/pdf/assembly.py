"""Chunks joined into one tagged PDF/A-3a file: copied through once, none of them held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from reports.pdf import chunk
from reports.pdf.attached import attach
from reports.pdf.chunk import Stored, array, dictionary, string
from reports.pdf.foot import Letters, foot
from reports.pdf.job import Attachment
from reports.pdf.outline import Bookmark, Place, write_names, write_outline
from reports.pdf.writer import PdfWriter


@dataclass(frozen=True, slots=True)
class PartFile:
    """A chunk and what its child told of it."""

    path: Path
    told: dict[str, Any]

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return len(self.told["pages"])


@dataclass(frozen=True, slots=True)
class Frame:
    """What the whole file has beside its parts."""

    title: str
    lang: str
    identifier: bytes
    created: datetime
    attachments: Sequence[Attachment]
    foot: Callable[[int, int], tuple[str, str]]
    letters: Letters


@dataclass(slots=True)
class _Whole:
    """The file as it grows, and what the parts so far have given to it."""

    writer: PdfWriter
    frame: Frame
    #: How many pages there will be.
    total: int
    #: The objects of the whole: the root of the pages, the element of the document, what the trunk has.
    root: int
    document: int
    shared: dict[bytes, int]
    pages: list[int] = field(default_factory=list)
    page_nodes: list[int] = field(default_factory=list)
    elements: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    keys: int = 0
    bookmarks: list[Bookmark] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)


def assemble(file: BinaryIO, parts: Sequence[PartFile], trunk: PartFile, frame: Frame) -> None:
    """Write the parts in this order as one document."""
    writer = PdfWriter(file)
    catalogue, pages, tags, document, parents = (writer.take() for _ in range(5))
    first = writer.take(trunk.told["objects"])
    shared = {name.encode(): first + place for name, place in trunk.told["places"].items()}
    _copy(writer, trunk, first, 0, {})
    total = sum(part.pages for part in parts)
    joined = _Whole(writer, frame, total, pages, document, shared)
    for part in parts:
        _append(joined, part)
    _write(writer, pages, Type=b"/Pages", Count=b"%d" % total, Kids=_refs(joined.page_nodes))
    _write(
        writer,
        tags,
        Type=b"/StructTreeRoot",
        K=_refs([document]),
        ParentTree=_ref(parents),
        ParentTreeNextKey=b"%d" % joined.keys,
    )
    _write(writer, document, Type=b"/StructElem", S=b"/Document", P=_ref(tags), K=_refs(joined.elements))
    _write(writer, parents, Kids=_refs(joined.leaves))
    names = {"Dests": _ref(write_names(writer, joined.places))}
    more: dict[str, bytes] = {}
    if joined.bookmarks:
        more |= {"Outlines": _ref(write_outline(writer, joined.bookmarks)), "PageMode": b"/UseOutlines"}
    if frame.attachments:
        names["EmbeddedFiles"], more["AF"] = attach(writer, frame.attachments, frame.created)
    _write(
        writer,
        catalogue,
        Type=b"/Catalog",
        Pages=_ref(pages),
        Lang=string(frame.lang),
        MarkInfo=b"<</Marked true>>",
        ViewerPreferences=b"<</DisplayDocTitle true>>",
        StructTreeRoot=_ref(tags),
        Metadata=_ref(shared[b"metadata"]),
        OutputIntents=array([_intent(shared[b"profile"])]),
        Names=dictionary(names),
        **more,
    )
    day = string(frame.created.strftime("D:%Y%m%d%H%M%SZ"))
    about = {"Producer": string(trunk.told["producer"]), "Title": string(frame.title), "CreationDate": day}
    about["ModDate"] = day
    writer.end(root=catalogue, about=writer.add(dictionary(about)), identifier=frame.identifier)


def _append(joined: _Whole, part: PartFile) -> None:
    writer, frame, told, objects = joined.writer, joined.frame, part.told, part.told["objects"]
    base = writer.take(objects + 2 + part.pages)
    node, element, feet = base + objects, base + objects + 1, base + objects + 2
    named = {**joined.shared, b"pages": node, b"part": element}
    named |= {b"foot%d" % index: feet + index for index in range(part.pages)}
    _copy(writer, part, base, joined.keys, named)
    for index, measures in enumerate(told["pages"]):
        drawn = foot(*frame.foot(len(joined.pages) + index + 1, joined.total), frame.letters, measures)
        writer.write(feet + index, Stored(b"<</Length %d>>" % len(drawn), drawn))
    kids = [base + kid for kid in told["kids"]]
    _write(writer, node, Type=b"/Pages", Parent=_ref(joined.root), Count=b"%d" % part.pages, Kids=_refs(kids))
    elements = _refs(base + kid for kid in told["elements"])
    _write(writer, element, Type=b"/StructElem", S=b"/Part", P=_ref(joined.document), K=elements)
    for level, text, page, x, y, _ in told["headings"]:
        joined.bookmarks.append(Bookmark(level, text, Place(kids[page], x, y)))
    for name, page, x, y in told["anchors"]:
        joined.places.setdefault(name, Place(kids[page], x, y))
    joined.pages.extend(kids)
    joined.page_nodes.append(node)
    joined.elements.append(element)
    joined.leaves.append(base + told["leaf"])
    joined.keys += told["keys"]


def _copy(writer: PdfWriter, part: PartFile, base: int, keys: int, named: dict[bytes, int]) -> None:
    for place, stored in enumerate(chunk.read(part.path)):
        writer.write(base + place, Stored(chunk.resolve(stored.text, base, keys, named), stored.stream))


def _write(writer: PdfWriter, wanted: int, **entries: bytes) -> None:
    writer.write(wanted, Stored(dictionary(entries), None))


def _ref(wanted: int) -> bytes:
    return b"%d 0 R" % wanted


def _refs(wanted: Iterable[int]) -> bytes:
    return array(map(_ref, wanted))


def _intent(profile: int) -> bytes:
    name = string("sRGB2014")
    return dictionary(
        {
            "Type": b"/OutputIntent",
            "S": b"/GTS_PDFA1",
            "OutputConditionIdentifier": name,
            "Info": name,
            "DestOutputProfile": _ref(profile),
        }
    )
