"""Long documents: rendered in parts, by several processes at once, and joined into one tagged PDF/A-3a file.

A document that is laid out in one go takes memory and time that grow faster than its pages. Here its author cuts
it into parts that are laid out alone, so that a register of any length takes the memory of its longest part.

How to write a document for this module:

- `head` is what stands in `<head>`, the same for every part: the style sheet (`<link rel="stylesheet" href="audit.css">`,
  a name in `static/pdf`) and `<style>`. No `<title>` and no `lang`: they are the document's.
- A part is a function that returns the inside of `<body>`. It is called when its turn comes, so that no more than a
  few parts exist at a time. Every part begins on a new page. Cut by sections; a long register into parts of 250 to
  500 rows, each with its own heading and its own `<table>` with `<thead>`.
- Write `table-layout: fixed` with a `<colgroup>`; no floats, flex boxes, grids or columns in long parts: they cost.
- `@page` has the paper and the margins but no margin boxes: the foot of each page is drawn by this module, in the
  bottom margin (14 mm from the paper's edge), left and right aligned with the page's side margins.
- A heading that has a `bookmark-level` becomes a bookmark; with an `id` it can be linked to. `href="#id"` works
  from any part to any part; an id is unique in the whole document. `target-counter()` and `counter(pages)` know
  their own part alone: page numbers stand in the contents, which are written when they are known.
- `contents` gets every bookmark of the other parts with its page number and returns the inside of `<body>` of the
  contents page. It may be asked twice (its own length moves the numbers), so it must not depend on anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pikepdf

from reports.pdf.job import Attachment
from reports.pdf.render import render


@dataclass(frozen=True, slots=True)
class Heading:
    """A bookmark of the finished document: what the contents page lists. Pages count from 1."""

    level: int
    text: str
    page: int
    #: The heading's `id`, for `href="#…"`; empty when it has none.
    anchor: str


@dataclass(frozen=True, slots=True)
class LongDocument:
    """What is rendered.

    `identifier` (letters and digits) and `created` (UTC) stand for what would differ from run to run, so that the
    same document gives the same bytes whatever the number of processes.
    """

    head: str
    parts: Sequence[Callable[[], str]]
    title: str
    lang: str
    identifier: bytes
    created: datetime
    #: Left and right text of the foot of page `page` of `pages`, say `("AR-000001", "Page 12 of 431")`.
    foot: Callable[[int, int], tuple[str, str]]
    #: Writes the contents page, which is put after the first `contents_after` parts; None for a document without.
    contents: Callable[[Sequence[Heading]], str] | None = None
    contents_after: int = 1
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of it."""

    pages: int
    headings: tuple[Heading, ...]


def render_long(
    document: LongDocument,
    target: Path,
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> Rendered:
    """Write the document to `target`, which is there only when it is whole.

    `processes` children (by default one for each processor) render the parts under the same limits as `render`.
    `progress(done, of)` is called after every part, in this process and thread; what it raises stops the rendering
    and goes on to the caller. Files that the HTML names are those of `folder`, by default `static/pdf`.
    Raises RenderError with a sentence.
    """
    bodies = [f"<section>{part()}</section>" for part in document.parts]
    headings: tuple[Heading, ...] = ()
    for _ in range(3 if document.contents else 1):
        whole = list(bodies)
        if document.contents:
            whole.insert(document.contents_after, f"<section>{document.contents(headings)}</section>")
        target.write_bytes(_one_go(document, whole, folder))
        found, pages = _headings(target)
        if found == headings:
            break
        headings = found
    if progress:
        progress(len(bodies), len(bodies))
    return Rendered(pages, headings)


def _one_go(document: LongDocument, bodies: list[str], folder: Path | None) -> bytes:
    left, right = document.foot(7777, 8888)
    before, _, rest = right.partition("7777")
    between, _, after = rest.partition("8888")
    foot = (
        "<style>section + section { break-before: page } @page {"
        f'@bottom-left {{ content: "{left}"; font: 7.5pt "Plex Sans" }} @bottom-right {{ content: "{before}" '
        f'counter(page) "{between}" counter(pages) "{after}"; font: 7.5pt "Plex Sans" }} }}</style>'
    )
    return render(
        f'<!DOCTYPE html><html lang="{document.lang}"><head><title>x</title>{document.head}{foot}</head>'
        f"<body>{''.join(bodies)}</body></html>",
        attachments=document.attachments,
        identifier=document.identifier,
        created=document.created,
        title=document.title,
        lang=document.lang,
        folder=folder,
    )


def _headings(path: Path) -> tuple[tuple[Heading, ...], int]:
    found: list[Heading] = []
    with pikepdf.open(path) as pdf:
        numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
        names = (
            pikepdf.NameTree(pdf.Root.Names.Dests)
            if "/Names" in pdf.Root and "/Dests" in pdf.Root.Names
            else {}
        )
        anchors = {(place[0].objgen, str(place[3])): str(name) for name, place in names.items()}

        def walk(items: list[pikepdf.OutlineItem], level: int) -> None:
            for item in items:
                place: Any = item.destination
                anchor = anchors.get((place[0].objgen, str(place[3])), "")
                found.append(Heading(level, item.title, numbers[place[0].objgen], anchor))
                walk(item.children, level + 1)

        with pdf.open_outline() as outline:
            walk(outline.root, 1)
        return tuple(found), len(pdf.pages)
