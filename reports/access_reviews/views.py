"""The result of an access review as a signed file, for whoever may read evidence."""

from __future__ import annotations

from flask import Blueprint, Response

from catalog.access_reviews.queries import require_seen
from portal.audit.checkpoint import Signer
from portal.core.database import Database
from portal.core.http import file_response, reading, render, services, settings, transaction
from portal.core.language import language
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from reports.access_reviews.make import make_result, record_download
from reports.evidence.make import EvidenceNotMade, Workbench
from reports.pdf.render import RenderError

blueprint = Blueprint("access_review_results", __name__)


@blueprint.get("/access-reviews/<int:review_id>/result.pdf")
@requires(Permission.READ_EVIDENCE)
def result(review_id: int) -> Response:
    """The campaign's signed result, its pages in the reader's language; who took it is written down."""
    parts = services()
    with reading() as session:
        require_seen(session, current_actor(), review_id)
    bench = Workbench(parts.get(Database), settings(), parts.get(Signer))
    try:
        content = make_result(bench, review_id, language())
    except (RenderError, EvidenceNotMade) as error:
        return render(
            "reports/access_reviews/failed.html", error.status, review_id=review_id, sentence=error.sentence
        )
    with transaction() as session:
        record_download(session, current_actor(), review_id, content)
    return file_response(content, name=f"access-review-{review_id}.pdf", media_type="application/pdf")
