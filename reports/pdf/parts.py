"""Long documents: rendered in parts, by several processes at once, and joined into one tagged PDF/A-3a file.

A document that is laid out in one go takes memory and time that grow faster than its pages. Here its author cuts
it into parts that are laid out alone, so that a register of any length takes the memory of its longest part.

How to write a document for this module:

- `head` is what stands in `<head>`, the same for every part: the style sheet (`<link rel="stylesheet" href="audit.css">`,
  a name in `static/pdf`) and `<style>`. No `<title>` and no `lang`: they are the document's.
- A part is a function that returns the inside of `<body>`. It is called when its turn comes, so that no more than a
  few parts exist at a time. Every part begins on a new page. Cut by sections; a long register into parts of about
  200 rows, each with its own heading and its own `<table>` with `<thead>`. A child takes 70 MiB and as much again for
  250 rows of eight cells.
- Write `table-layout: fixed` with a `<colgroup>`, separate borders with no spacing (settling collapsing ones takes a
  seventh of the time) and `break-inside: avoid` on rows; no floats, flex boxes, grids or columns in long parts.
- `@page` has the paper and the margins but no margin boxes: the foot of each page is drawn by this module, in the
  middle of the bottom margin, left and right aligned with the page's side margins.
- A heading that has a `bookmark-level` becomes a bookmark; with an `id` it can be linked to. `href="#id"` works
  from any part to any part; an id is unique in the whole document. `target-counter()` and `counter(pages)` know
  their own part alone: page numbers stand in the contents, which are written when they are known.
- `contents` gets every bookmark of the other parts with its page number and returns the inside of `<body>` of the
  contents page. It may be asked twice (its own length moves the numbers), so it must not depend on anything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from portal.core.assets import static_folder
from portal.core.language import _
from reports.pdf.assembly import Frame, PartFile, assemble
from reports.pdf.crew import Crew, processors
from reports.pdf.foot import CUT, Letters
from reports.pdf.job import Attachment
from reports.pdf.render import RenderError
from reports.pdf.scratch import scratch_beside

#: Parts that wait for a child at a time, beside those that are being rendered.
WAITING = 1
#: How often the contents may be written until their own length does not move a number.
ATTEMPTS = 5


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
    if not document.parts:
        message = "a document has at least one part"
        raise ValueError(message)
    size = min(processes or processors(), len(document.parts))
    with (
        scratch_beside(target) as scratch,
        Crew((folder or static_folder() / "pdf").resolve(), scratch, size) as crew,
    ):
        bench = _Bench(document, crew, scratch)
        of = len(document.parts) + 1
        parts = _parts(bench, size, lambda done: progress(done, of) if progress else None)
        if document.contents is not None:
            parts = _with_contents(bench, parts, document.contents)
        _refuse_loose_ends(parts)
        letters, trunk = _trunk(bench, parts)
        frame = Frame(
            document.title,
            document.lang,
            document.identifier,
            document.created,
            document.attachments,
            document.foot,
            letters,
        )
        fresh = scratch / "whole.pdf"
        with fresh.open("wb") as file:
            assemble(file, parts, trunk, frame)
        fresh.replace(target)
        if progress:
            progress(of, of)
    return Rendered(sum(part.pages for part in parts), _headings(parts))


@dataclass(frozen=True, slots=True)
class _Bench:
    document: LongDocument
    crew: Crew
    scratch: Path
    #: What the parts so far use of each font, by the font's name in the file.
    fonts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def html(self, body: str) -> str:
        head, lang = self.document.head, escape(self.document.lang)
        # The foot is drawn when the number of pages is known, whatever the style sheet says.
        return (
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>x</title>{head}'
            f"<style>{_NO_FOOT}</style></head><body>{body}</body></html>"
        )

    def render(self, body: str, name: str) -> Future[dict[str, Any]]:
        job = {"do": "part", "target": str(self.scratch / name)}
        return self.crew.ask(job, self.html(body))

    def finished(self, name: str, answer: Future[dict[str, Any]]) -> PartFile:
        told = answer.result()
        self.keep_fonts(told.pop("fonts"))
        return PartFile(self.scratch / name, told)

    def keep_fonts(self, fonts: list[dict[str, Any]]) -> None:
        """Called in the order of the document, so that the first part decides whatever the children's order was."""
        for font in fonts:
            kept = self.fonts.setdefault(font["hash"], font)
            for table in ("to_unicode", "widths"):
                kept[table] = {**font[table], **kept[table]}


_NO_FOOT = "@page { @bottom-left { content: none } @bottom-center { content: none } @bottom-right { content: none } }"


def _parts(bench: _Bench, size: int, tell: Callable[[int], None]) -> list[PartFile]:
    """Every part rendered, in order. Their HTML is written here, a few ahead of the children."""
    waiting: deque[tuple[str, Future[dict[str, Any]]]] = deque()
    done: list[PartFile] = []

    def take() -> None:
        done.append(bench.finished(*waiting.popleft()))
        tell(len(done))

    for index, part in enumerate(bench.document.parts):
        while len(waiting) >= size + WAITING:
            take()
        name = f"{index}.chunk"
        waiting.append((name, bench.render(part(), name)))
    while waiting:
        take()
    return done


def _with_contents(
    bench: _Bench, parts: list[PartFile], contents: Callable[[Sequence[Heading]], str]
) -> list[PartFile]:
    """The parts with the contents among them. Raises RenderError when their length never settles."""
    after, pages = bench.document.contents_after, 1
    before, behind = parts[:after], parts[after:]
    for _attempt in range(ATTEMPTS):
        first = sum(part.pages for part in before) + pages
        headings = (*_headings(before), *_headings(behind, first))
        name = "contents.chunk"
        made = bench.finished(name, bench.render(contents(headings), name))
        if made.pages == pages:
            return [*before, made, *behind]
        pages = made.pages
    raise RenderError(_("The contents of the document did not come to rest, so it was given up."))


def _headings(parts: Sequence[PartFile], before: int = 0) -> tuple[Heading, ...]:
    found = []
    for part in parts:
        found += [
            Heading(level, text, before + page + 1, anchor)
            for level, text, page, _x, _y, anchor in part.told["headings"]
        ]
        before += part.pages
    return tuple(found)


def _refuse_loose_ends(parts: Sequence[PartFile]) -> None:
    known = {name for part in parts for name, *_ in part.told["anchors"]}
    for part in parts:
        for target in part.told["links"]:
            if target not in known:
                raise RenderError(
                    _("The document links to #%(target)s, which is nowhere in it.", target=target[:100])
                )


def _trunk(bench: _Bench, parts: Sequence[PartFile]) -> tuple[Letters, PartFile]:
    """What the parts share, and the letters of the feet in one of the fonts that they share."""
    document = bench.document
    total = sum(part.pages for part in parts)
    wanted = {CUT}.union(*("".join(document.foot(page + 1, total)) for page in range(total)))
    shown = "".join(sorted(wanted))
    job: dict[str, Any] = {"do": "letters", "wanted": shown}
    told = bench.crew.ask(job, bench.html(f"<p>{escape(shown)}</p>")).result()
    bench.keep_fonts(told["fonts"])
    path = bench.scratch / "trunk.chunk"
    job = {
        "do": "trunk",
        "target": str(path),
        "fonts": [bench.fonts[name] for name in sorted(bench.fonts)],
        "title": document.title,
        "lang": document.lang,
        "created": document.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    letters = {letter: (font, glyph, width) for letter, (font, glyph, width) in told["letters"].items()}
    return letters, PartFile(path, bench.crew.ask(job, "").result())
