"""The result as HTML: what was reviewed, the figures, and every item with what was said and done."""

from __future__ import annotations

from portal.core.language import N_, _
from reports.access_reviews.document import CHECKPOINT_NAME, FILE_NAME, SCHEMA_NAME, ReviewResult, schema
from reports.evidence.html import page_environment
from reports.evidence.presenters import furniture, grouped
from reports.evidence.words import spoken_time
from reports.pdf.job import Attachment

TEMPLATE = "reports/access_reviews/document.html"
STATES = {
    "open": N_("Not answered"),
    "kept": N_("Kept"),
    "changed": N_("To be different"),
    "revoked": N_("Taken away"),
    "void": N_("Ended by itself"),
}


def to_html(result: ReviewResult, language: str) -> str:
    """The pages in the language that is spoken. Everything that people wrote is escaped."""
    return (
        page_environment()
        .get_template(TEMPLATE)
        .render(
            result=result,
            review=result.review,
            language=language,
            furniture=furniture(),
            grouped=grouped,
            spoken_time=spoken_time,
            states={name: _(text) for name, text in STATES.items()},
        )
    )


def attachments_of(result: ReviewResult) -> tuple[Attachment, ...]:
    """The files inside the PDF: the facts, the checkpoint for any tool that reads signed notes, and the schema."""
    return (
        Attachment(FILE_NAME, result.to_json(), "The facts that these pages show", "Source"),
        Attachment(SCHEMA_NAME, schema().encode(), "JSON Schema of the facts"),
        Attachment(CHECKPOINT_NAME, result.ledger.checkpoint.encode(), "Signed head of the ledger (C2SP)"),
    )
