"""The ledger's page: what happened, by whom, and what was signed of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from portal.audit.checkpoint import Signer
from portal.audit.notes import fingerprint
from portal.audit.queries import PAGE, entries_before, ledger_head, tags
from portal.core.http import file_response, reading, render, services
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission

blueprint = Blueprint("ledger", __name__)


@blueprint.get("/ledger")
@requires(Permission.READ_LEDGER)
def index() -> Response:
    """Entries, newest first."""
    tag, subject = request.args.get("tag", "")[:80], request.args.get("subject", "").strip()[:200]
    before = request.args.get("before", type=int)
    with reading() as session:
        head = ledger_head(session)
        entries = entries_before(session, before, tag=tag, subject=subject)
        known = tags(session)
    signer = services().get(Signer)
    older = ""
    if len(entries) == PAGE:
        older = url_for("ledger.index", before=entries[-1].number, tag=tag or None, subject=subject or None)
    return render(
        "portal/audit/index.html",
        head=head,
        entries=entries,
        tags=known,
        tag=tag,
        subject=subject,
        older=older,
        zone=ZoneInfo(current_actor().timezone),
        fingerprint=fingerprint(signer.public_key),
        verifier=signer.verifier,
    )


@blueprint.get("/ledger/checkpoint")
@requires(Permission.READ_LEDGER)
def checkpoint() -> Response:
    """The last checkpoint as the file that verifiers take."""
    with reading() as session:
        note = ledger_head(session).note
    return file_response(note.encode(), name="checkpoint.note", media_type="text/plain; charset=utf-8")
