"""The report as HTML, part by part, and as a long document for the renderer: both follow from audit.json and these templates.

    document = long_document(audit)      # reports.pdf.parts.render_long(document, path) writes the PDF
    for body in pages_of(audit): ...     # the same pages' HTML, as a verifier compares them

The language is that of the query. The parts are the cover, the summary, the method, the population, one for each
section, the sample, the deviations, how to verify, and the register in pieces; the renderer puts the contents in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from jinja2 import Environment

from portal.core.language import _, speaking
from reports.audits.document import FILE_NAME, SCHEMA_FILE, SCHEMA_NAME, Audit
from reports.audits.pages import cover, method, register
from reports.audits.pages.population import shown_population
from reports.audits.pages.words import period, scope
from reports.audits.sections.registry import shown_sections
from reports.audits.sections.shapes import Column, Shown, Table
from reports.evidence.html import page_environment
from reports.evidence.presenters import grouped
from reports.evidence.words import spoken_time
from reports.pdf.job import Attachment
from reports.pdf.parts import Heading, LongDocument

FOLDER = "reports/audits/"
CHECKPOINT_NAME = "after.note"
#: Rows of one table that are laid out together; a longer one goes on in the next part.
ROWS = 200
#: A table of more rows than this is set closely; one of at most so few does not break over two pages.
CLOSE, WHOLE = 30, 10
#: The widths that columns may have, in millimetres.
_WIDTHS = range(5, 120)
HEAD = (
    '<link rel="stylesheet" href="audit.css">'
    f"<style>{''.join(f'.w{width}{{width:{width}mm}}' for width in _WIDTHS)}</style>"
)
Body = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table: whether they begin it, whether more follow, and how they are set."""

    table: Table
    begins: bool
    goes_on: bool
    classes: str


def long_document(audit: Audit) -> LongDocument:
    """The report for the renderer, with its files inside. Raises ValueError for sections of another form."""
    language = audit.query.language
    with speaking(language):
        title = _("Audit report %(reference)s", reference=audit.reference)
    content = audit.to_json()
    facts = _digest(content)
    return LongDocument(
        head=HEAD,
        parts=parts_of(audit, facts),
        title=title,
        lang=language,
        identifier=hashlib.sha256((facts + language).encode()).hexdigest()[:32].encode(),
        created=datetime.fromisoformat(audit.made_at).astimezone(UTC),
        foot=partial(_foot, audit),
        contents=partial(_contents, audit),
        contents_after=1,
        attachments=attachments_of(audit, content),
    )


def attachments_of(audit: Audit, content: bytes) -> tuple[Attachment, ...]:
    """The files inside the PDF: the facts (`content`), the second head for any tool that reads signed notes, and the schema."""
    return (
        Attachment(
            CHECKPOINT_NAME, audit.ledger.after.checkpoint.encode(), "Signed head of the ledger (C2SP)"
        ),
        Attachment(FILE_NAME, content, "The facts that these pages show", "Source"),
        Attachment(SCHEMA_NAME, SCHEMA_FILE.read_bytes(), "JSON Schema of the facts"),
    )


def pages_of(audit: Audit) -> Iterator[str]:
    """The inside of each part's body in order, without the contents, which only the layout knows."""
    for part in parts_of(audit, _digest(audit.to_json())):
        yield part()


def parts_of(audit: Audit, facts: str) -> tuple[Body, ...]:
    """The parts, each of which writes itself when it is called; `facts` is the digest of audit.json.

    What several of them need is worked out once.
    """
    with speaking(audit.query.language):
        sections = shown_sections(audit)
        claim = cover.claim_of(audit, sections)
        keys = cover.keys_of(audit)
        certificate = cover.certificate_of(audit)
        parts: list[Body] = [
            _part(audit, "document_cover.html", claim=claim, keys=keys, certificate=certificate, facts=facts),
            _part(
                audit,
                "document_summary.html",
                claim=claim,
                figures=cover.figures_of(audit, sections),
                results=cover.results_of(sections),
            ),
            _part(audit, "document_method.html", method=method.method_of(audit)),
            *_section_parts(audit, "population", shown_population(audit)),
        ]
        for name, shown in sections.items():
            parts += _section_parts(audit, f"section-{name}", shown)
        parts += _sample_parts(audit)
        parts += _deviation_parts(audit, sections)
        parts.append(_part(audit, "document_verify.html", keys=keys, certificate=certificate, facts=facts))
        parts.append(_part(audit, "document_glossary.html"))
        parts += _register_parts(audit)
    return tuple(parts)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _part(audit: Audit, template: str, **given: Any) -> Body:
    def write() -> str:
        with speaking(audit.query.language):
            return (
                _environment()
                .get_template(FOLDER + template)
                .render(
                    audit=audit,
                    period=period(audit),
                    scope=scope(audit),
                    grouped=grouped,
                    spoken_time=spoken_time,
                    **given,
                )
            )

    return write


def _environment() -> Environment:
    return page_environment()


def _section_parts(audit: Audit, anchor: str, shown: Shown) -> Iterator[Body]:
    """A section with as much of its tables as is laid out together, then what is left of them."""
    first, *rest = _blocks(shown.tables)
    yield _part(audit, "document_section.html", anchor=anchor, shown=shown, pieces=first)
    for number, pieces in enumerate(rest):
        yield _part(audit, "document_rest.html", anchor=f"{anchor}-{number}", pieces=pieces)


def _blocks(tables: Iterable[Table]) -> list[list[Piece]]:
    """The tables in their order, cut into what is laid out together; behind the end of a long one follows the next."""
    blocks: list[list[Piece]] = [[]]
    for table in tables:
        count = len(table.rows)
        classes = "lines tight" if count > CLOSE else "lines keep" if count <= WHOLE else "lines"
        for start in range(0, max(count, 1), ROWS):
            rows = table.rows[start : start + ROWS]
            if start or sum(len(piece.table.rows) for piece in blocks[-1]) + len(rows) > 2 * ROWS:
                blocks.append([])
            some = Table(table.caption, table.columns, rows, table.empty)
            blocks[-1].append(Piece(some, not start, start + ROWS < count, classes))
    return blocks


def _sample_parts(audit: Audit) -> Iterator[Body]:
    blocks = register.sample_blocks(audit) or ((0, 0),)
    for start, end in blocks:
        yield _drawn_part(audit, start, end)


def _drawn_part(audit: Audit, start: int, end: int) -> Body:
    def write() -> str:
        with speaking(audit.query.language):
            lines = tuple(register.drawn(audit, start, end))
        return _part(audit, "document_sample.html", start=start, lines=lines)()

    return write


def _deviation_parts(audit: Audit, sections: dict[str, Shown]) -> Iterator[Body]:
    """Chapter by chapter."""
    columns = (Column(_("About"), 50), Column(_("What deviated")))
    tables = [
        Table(shown.title, columns, tuple((one.about, one.sentence) for one in shown.deviations))
        for shown in sections.values()
        if shown.deviations
    ]
    first, *rest = _blocks(tables)
    yield _part(audit, "document_deviations.html", pieces=first)
    for number, pieces in enumerate(rest):
        yield _part(audit, "document_rest.html", anchor=f"deviations-{number}", pieces=pieces)


def _register_parts(audit: Audit) -> Iterator[Body]:
    for start, end in register.register_parts(audit):
        yield _register_part(audit, start, end)


def _register_part(audit: Audit, start: int, end: int) -> Body:
    def write() -> str:
        with speaking(audit.query.language):
            some = register.register_part(audit, start, end)
        return _part(audit, "document_register.html", start=start, some=some)()

    return write


def _foot(audit: Audit, page: int, pages: int) -> tuple[str, str]:
    with speaking(audit.query.language):
        return (
            _("Audit report %(reference)s; all times are UTC", reference=audit.reference),
            _("Page %(number)s of %(count)s", number=page, count=pages),
        )


def _contents(audit: Audit, headings: Sequence[Heading]) -> str:
    return _part(audit, "document_contents.html", headings=headings)()
