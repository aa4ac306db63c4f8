"""The evidence page as HTML, and as an unsigned PDF: both follow from the document and this version's templates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.core.assets import templates_folder
from portal.core.language import SOURCE, _, speaking, spoken
from portal.core.templates import teach
from reports.evidence.document import FILE_NAME, SCHEMA_FILE, Evidence
from reports.evidence.legible import legible
from reports.evidence.presenters import grouped, page_of
from reports.evidence.timeline import NAMES, WIDTH
from reports.evidence.words import CHANGES, spoken_time, word
from reports.pdf.job import Attachment
from reports.pdf.render import render

TEMPLATE = "reports/evidence/document.html"
CHECKPOINT_NAME = "checkpoint.note"
SCHEMA_NAME = "evidence.schema.json"


def to_html(evidence: Evidence) -> str:
    """The page in the language that is spoken. Everything that people wrote is escaped."""
    return (
        page_environment()
        .get_template(TEMPLATE)
        .render(
            page=page_of(evidence),
            grouped=grouped,
            spoken_time=spoken_time,
            change_word=partial(word, CHANGES),
            width=WIDTH,
            names=NAMES,
        )
    )


def attachments_of(evidence: Evidence) -> tuple[Attachment, ...]:
    """The files inside the PDF: the facts, the checkpoint for any tool that reads signed notes, and the schema."""
    return (
        Attachment(CHECKPOINT_NAME, evidence.ledger.checkpoint.encode(), "Signed head of the ledger (C2SP)"),
        Attachment(FILE_NAME, evidence.to_json(), "The facts that these pages show", "Source"),
        Attachment(SCHEMA_NAME, SCHEMA_FILE.read_bytes(), "JSON Schema of the facts"),
    )


def to_pdf(evidence: Evidence, language: str = SOURCE) -> bytes:
    """The pages in a language as PDF/A-3a with their files, unsigned.

    The same bytes for the same document and language. Raises RenderError.
    """
    with speaking(language):
        html = to_html(evidence)
        title = _("Evidence of request %(reference)s", reference=evidence.reference)
    return render(
        html,
        attachments=attachments_of(evidence),
        identifier=hashlib.sha256(evidence.to_json() + language.encode()).hexdigest()[:32].encode(),
        created=datetime.fromisoformat(evidence.as_of).astimezone(UTC),
        title=title,
        lang=language,
    )


def _shown(value: Any) -> Any:
    return legible(spoken(value))


@lru_cache(maxsize=1)
def page_environment() -> Environment:
    """In which the pages of every signed file are written: escaped, spoken, and in letters that the fonts have."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    teach(environment)
    # What goes into a sentence by name is no text of its own any more when it is printed.
    environment.filters["legible"] = legible
    return environment
