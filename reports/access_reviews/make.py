"""Making: from a campaign to its signed result. The same facts under the same checkpoint give the same bytes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.access_reviews.closing import find_locked
from portal.audit import record
from portal.audit.checkpoint import NotSigned, checkpoint
from portal.audit.model import Entry
from portal.core.language import SOURCE, _, speaking
from portal.identity.actor import Actor
from reports.access_reviews.document import ReviewResult
from reports.access_reviews.facts import gather
from reports.access_reviews.html import attachments_of, to_html
from reports.evidence import tags
from reports.evidence.facts import Ledger
from reports.evidence.make import TRIES, EvidenceNotMade, Workbench, introduced_key, not_signed, subject_of
from reports.pdf.keys import PdfKey
from reports.pdf.render import render
from reports.pdf.signing import sign
from reports.pdf.timestamps import TimestampAuthority


def make_result(bench: Workbench, review_id: int, language: str = SOURCE) -> bytes:
    """The campaign's result as a signed PDF, its pages in the language, with everything that the ledger says until now.

    Raises NotFound, RenderError or EvidenceNotMade with a sentence. Changes nothing about the campaign.
    """
    key = introduced_key(bench)
    return signed_pdf(result_of(bench, review_id, key), key, language, bench.timestamps())


def result_of(bench: Workbench, review_id: int, key: PdfKey) -> ReviewResult:
    """The document under a checkpoint of now. Raises NotFound, EvidenceNotMade."""
    ledger = Ledger(bench.signer.name, bench.signer.verifiers[0], (subject_of(key),))
    for _try in range(TRIES):
        try:
            head = checkpoint(bench.db, bench.signer)
        except NotSigned as error:
            raise not_signed(error) from error
        if head is None:
            break
        with bench.db.transaction() as session:
            # Whoever answers holds the campaign's row, so what is read now belongs together.
            review = find_locked(session, review_id)
            last = session.scalar(
                select(func.max(Entry.number)).where(Entry.subject == f"access-review:{review_id}")
            )
            if (last or 0) <= head.size:
                with speaking(SOURCE):
                    return gather(session, review, head, ledger, address=bench.address)
    raise EvidenceNotMade(_("The access review is changing right now. Try again in a moment."))


def signed_pdf(
    result: ReviewResult, key: PdfKey, language: str = SOURCE, timestamps: TimestampAuthority | None = None
) -> bytes:
    """The document as a signed PDF; without timestamps the same bytes for the same document, key and language."""
    at = datetime.fromisoformat(result.as_of)
    reason = f"Result of {result.reference}"
    return sign(to_pdf(result, language), key, at=at, reason=reason, timestamps=timestamps)


def to_pdf(result: ReviewResult, language: str = SOURCE) -> bytes:
    """The pages in a language as PDF/A-3a with their files, unsigned. Raises RenderError."""
    with speaking(language):
        html = to_html(result, language)
        title = _("Result of an access review: %(name)s", name=result.review.name)
    return render(
        html,
        attachments=attachments_of(result),
        identifier=hashlib.sha256(result.to_json() + language.encode()).hexdigest()[:32].encode(),
        created=datetime.fromisoformat(result.as_of).astimezone(UTC),
        title=title,
        lang=language,
    )


def record_download(session: Session, actor: Actor, review_id: int, content: bytes) -> None:
    """Write down who took which file."""
    record(
        session,
        tags.DOWNLOADED,
        subject=f"evidence:access-review-{review_id}",
        actor=actor,
        facts={"review": review_id, "file": "sha256:" + hashlib.sha256(content).hexdigest()},
    )
