"""Pages for whoever may read evidence: every request, and one request's signed file."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from catalog.requests.audited import is_in_scope
from catalog.requests.queries import find_id
from portal.audit.checkpoint import Signer, first_key
from portal.core.clock import now
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.http import file_response, reading, render, services, settings, transaction
from portal.core.language import _, language
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from reports.evidence.make import EvidenceNotMade, Workbench, make_evidence, record_download
from reports.evidence.queries import requests_for_evidence
from reports.pdf.render import RenderError
from reports.verifier import RECOUNT, VERIFY, source

blueprint = Blueprint("evidence", __name__)


@blueprint.get("/evidence")
@requires(Permission.READ_EVIDENCE)
def index() -> Response:
    """Every request, newest first, or those of a reference."""
    actor = current_actor()
    reference = request.args.get("reference", "").strip()[:20]
    before = request.args.get("before", type=int)
    with reading() as session:
        lines, following = requests_for_evidence(session, actor, reference=reference, before=before)
        at: datetime = now(session).astimezone(ZoneInfo(actor.timezone))
    kept = reference or None
    key, digits = first_key(services().get(Signer))
    return render(
        "reports/evidence/index.html",
        lines=lines,
        reference=reference,
        now=at,
        key=key,
        fingerprint=digits,
        older_url=url_for("evidence.index", before=following, reference=kept) if following else "",
        newest_url=url_for("evidence.index", reference=kept) if before is not None else "",
    )


@blueprint.get("/evidence/verify.py")
@requires(Permission.READ_EVIDENCE)
def verifier() -> Response:
    """The verifier in one file, for whoever was given a file of evidence and no bundle."""
    return file_response(source(VERIFY), name=VERIFY, media_type="text/x-python; charset=utf-8")


@blueprint.get("/evidence/recount.py")
@requires(Permission.READ_EVIDENCE)
def recount() -> Response:
    """The second file, which goes on where the verifier ends."""
    return file_response(source(RECOUNT), name=RECOUNT, media_type="text/x-python; charset=utf-8")


@blueprint.get("/requests/<reference>/evidence.pdf", endpoint="request")
@requires(Permission.READ_EVIDENCE)
def one_request(reference: str) -> Response:
    """The request's signed file, its pages in the reader's language; who took it is written down. A failure is shown here and holds nothing up."""
    parts = services()
    with reading() as session:
        found = find_id(session, reference)
        if found is None or not is_in_scope(session, current_actor(), found):
            raise NotFound(_("There is no such request, or it is not yours to see."))
    bench = Workbench(parts.get(Database), settings(), parts.get(Signer))
    try:
        made = make_evidence(bench, reference, language())
    except (RenderError, EvidenceNotMade) as error:
        return render(
            "reports/evidence/failed.html", error.status, reference=reference, sentence=error.sentence
        )
    content = made.path.read_bytes()
    with transaction() as session:
        record_download(session, current_actor(), made)
    return file_response(content, name=made.name, media_type="application/pdf")
