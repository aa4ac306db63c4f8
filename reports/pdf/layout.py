"""One part laid out and painted by WeasyPrint. Only the children of `reports.pdf.crew` import this."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydyf
from weasyprint import DEFAULT_OPTIONS, HTML
from weasyprint.pdf import generate_pdf
from weasyprint.text.fonts import FontConfiguration

from reports.pdf import chunk
from reports.pdf.engine import VARIANT
from reports.pdf.fetcher import BASE, ClosedFetcher
from reports.pdf.serial import Serial
from reports.pdf.structure import lighten

#: Points (PDF's unit) in a pixel of CSS.
POINTS = 0.75
#: How a link to another part leaves WeasyPrint, which would drop one whose target it does not know.
ELSEWHERE = "elsewhere:"
_OPTIONS = {
    **DEFAULT_OPTIONS,
    "pdf_variant": VARIANT,
    "pdf_version": "1.7",
    "output_intent": "srgb",
    "pdf_tags": True,
}


class Later(dict[Any, Any]):
    """Fonts that a part uses. WeasyPrint would embed a subset in each part; here one is made of all parts at the end."""

    def values(self) -> Any:
        """None, as far as WeasyPrint's embedding can see."""
        return ()

    def used(self) -> list[Any]:
        """The fonts."""
        return list(super().values())


@dataclass
class Studio:
    """What stays warm from part to part: the fonts that the style sheet loads."""

    folder: Path
    scratch: Path
    fonts: FontConfiguration = field(default_factory=FontConfiguration)

    def lay_out(self, html: str) -> Any:
        """WeasyPrint's document. Raises FatalURLFetchingError."""
        fetcher = ClosedFetcher(self.folder)
        document = HTML(string=html, base_url=BASE, url_fetcher=fetcher).render(
            pdf_variant=VARIANT, font_config=self.fonts
        )
        if fetcher.refusal is not None:
            raise fetcher.refusal
        document.fonts = Later()
        return document

    def part(self, html: str, target: Path) -> dict[str, Any]:
        """Render one part into a chunk, and tell what the joining must know of it."""
        document = self.lay_out(html)
        links = _keep_links(document.pages)
        pdf = generate_pdf(document, None, 1, **_OPTIONS)
        lighten(pdf, document.pages)
        _aim_links(pdf)
        told = _save(pdf, document, target)
        return {
            **told,
            "pages": [_measures(page) for page in document.pages],
            "links": links,
            "anchors": _anchors(document.pages),
            "headings": _headings(document.pages),
            "fonts": [self.describe(font) for font in document.fonts.used()],
        }

    def describe(self, font: Any) -> dict[str, Any]:
        """What another process needs to embed the font; its file is kept in the scratch folder by digest."""
        if font.bitmap or font.missing:
            missing = ", ".join(f"U+{code:04X}" for code in font.missing) or "bitmap fonts"
            message = f"The document has characters that its fonts lack: {missing}."
            raise ValueError(message)
        digest = hashlib.sha256(font.file_content).hexdigest()
        kept = self.scratch / f"{digest}.font"
        if not kept.exists():
            fresh = kept.with_suffix(f".{id(font)}")
            fresh.write_bytes(font.file_content)
            fresh.rename(kept)
        plain = {name: value for name, value in vars(font).items() if name not in _UNKEPT}
        return {**plain, "name": font.name.decode("latin-1"), "file": digest}


_UNKEPT = {"hb_font", "hb_face", "file_content", "name", "missing"}


def _save(pdf: Any, document: Any, target: Path) -> dict[str, Any]:
    root = pdf.objects[int(pdf.catalog["StructTreeRoot"].split()[0])]
    top = pdf.objects[int(root["K"][0].split()[0])]
    resources = pdf.objects[int(pdf.objects[int(pdf.page_references[0].split()[0])]["Resources"].split()[0])]
    serial = Serial(
        pdf,
        {
            pdf.pages.reference: "pages",
            top.reference: "part",
            resources["Font"]: "fonts",
            document.color_profiles["srgb"].pdf_reference: "profile",
        },
    )
    keys = pdf.objects[int(root["ParentTree"].split()[0])]["Nums"]
    for index, reference in enumerate(pdf.page_references):
        page = pdf.objects[int(reference.split()[0])]
        page["StructParents"] = chunk.mark(chunk.KEY, index)
        page["Contents"] = pydyf.Array([page["Contents"], chunk.mark(chunk.NAMED, f"foot{index}")])
    for item in pdf.objects:
        if isinstance(item, dict) and "StructParent" in item:
            item["StructParent"] = chunk.mark(chunk.KEY, item["StructParent"])
    kids = [serial.number(reference) for reference in pdf.page_references]
    elements = [serial.number(reference) for reference in top["K"]]
    nums = pydyf.Array()
    for key, value in zip(keys[::2], keys[1::2], strict=True):
        reference = value if isinstance(value, bytes) else chunk.mark(chunk.OBJECT, serial.include(value))
        nums.extend([chunk.mark(chunk.KEY, key), reference])
    limits = pydyf.Array([nums[0], nums[-2]])
    leaf = serial.include(pydyf.Dictionary({"Limits": limits, "Nums": nums}))
    serial.save(target)
    return {"objects": serial.count, "kids": kids, "elements": elements, "leaf": leaf, "keys": len(keys) // 2}


def _keep_links(pages: Any) -> list[str]:
    """Name the links that lead to another part, so that they are not dropped; returns where they lead."""
    known = {name for page in pages for name in page.anchors}
    for page in pages:
        page.links[:] = [
            ("external", ELSEWHERE + target, rectangle, box)
            if kind == "internal" and target not in known
            else (kind, target, rectangle, box)
            for kind, target, rectangle, box in page.links
        ]
    away = [link[1] for page in pages for link in page.links if link[0] == "external"]
    return sorted({target.removeprefix(ELSEWHERE) for target in away if target.startswith(ELSEWHERE)})


def _aim_links(pdf: Any) -> None:
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("Subtype") == "/Link" and "A" in item:
            target = item["A"]["URI"].string
            if target.startswith(ELSEWHERE):
                del item["A"]
                item["Contents"] = item["Dest"] = pydyf.String(target.removeprefix(ELSEWHERE))


def _measures(page: Any) -> list[float]:
    """Width, height, and the margins on the left, on the right and at the bottom, in points."""
    box = page._page_box  # noqa: SLF001
    return [
        POINTS * value
        for value in (page.width, page.height, box.margin_left, box.margin_right, box.margin_bottom)
    ]


def _anchors(pages: Any) -> list[list[Any]]:
    return [
        [name, index, POINTS * place[0], POINTS * (page.height - place[1])]
        for index, page in enumerate(pages)
        for name, place in page.anchors.items()
    ]


def _headings(pages: Any) -> list[list[Any]]:
    found = []
    for index, page in enumerate(pages):
        names = {(place[0], place[1]): name for name, place in reversed(page.anchors.items())}
        for level, label, (x, y), _ in page.bookmarks:
            text = re.sub(r"\s+", " ", label).strip()
            found.append([level, text, index, POINTS * x, POINTS * (page.height - y), names.get((x, y), "")])
    return found
