"""The result as HTML: what was reviewed, the figures, and every item with what was said and done."""

from __future__ import annotations

from portal.audit.notes import fingerprint, read_verifier_key
from portal.core.language import N_, _, ngettext
from reports.access_reviews.document import CHECKPOINT_NAME, FILE_NAME, SCHEMA_FILE, SCHEMA_NAME, ReviewResult
from reports.evidence.html import page_environment
from reports.evidence.presenters import furniture, grouped
from reports.evidence.words import spoken_time
from reports.pdf.job import Attachment

TEMPLATE = "reports/access_reviews/document.html"
STATES = {
    "open": N_("Not answered"),
    "kept": N_("Stays"),
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
            claim=claim_of(result),
            ledger_fingerprint=fingerprint(read_verifier_key(result.ledger.verifier)[1]),
        )
    )


def claim_of(result: ReviewResult) -> str:
    """What the result says, in one sentence."""
    if result.review.state == "cancelled":
        return _("This review was cancelled; what was answered until then holds.")
    unanswered = result.figures.get("open", 0)
    if unanswered:
        return ngettext(
            "%(number)s item is still to be answered for.",
            "%(number)s items are still to be answered for.",
            unanswered,
        )
    return _("Every item was answered for, was taken away because nobody did, or had ended by itself.")


def attachments_of(result: ReviewResult) -> tuple[Attachment, ...]:
    """The files inside the PDF: the facts, the checkpoint for any tool that reads signed notes, and the schema."""
    return (
        Attachment(FILE_NAME, result.to_json(), "The facts that these pages show", "Source"),
        Attachment(SCHEMA_NAME, SCHEMA_FILE.read_bytes(), "JSON Schema of the facts"),
        Attachment(CHECKPOINT_NAME, result.ledger.checkpoint.encode(), "Signed head of the ledger (C2SP)"),
    )
