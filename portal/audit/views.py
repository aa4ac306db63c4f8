"""The ledger's pages: what happened, by whom, and what was signed of it; one entry with its proof; the export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, stream_with_context, url_for
from sqlalchemy.orm import Session

from portal.audit.checkpoint import Signer
from portal.audit.entries import count_of, entries_page, every_body, head_and_round, ledger_head
from portal.audit.filtering import Looked, condition
from portal.audit.notes import fingerprint
from portal.audit.one_entry import one_entry
from portal.audit.record import record
from portal.audit.seeing import Subjects, visible
from portal.audit.words import choices, says
from portal.core.database import Database
from portal.core.http import file_response, reading, render, services, transaction
from portal.core.language import _
from portal.identity.access import current_actor, requires
from portal.identity.auditors.reading import zone_of
from portal.identity.permissions import Permission

blueprint = Blueprint("ledger", __name__)

#: What was taken, and by which filter; the actor is whoever took it.
EXPORTED = "ledger:exported"
_LONGEST = 200


@blueprint.get("/ledger")
@requires(Permission.READ_LEDGER)
def index() -> Response:
    """Entries that are looked for, newest first."""
    looked, problems = _looked()
    actor = current_actor()
    with reading() as session:
        head, verified = head_and_round(session)
        page = entries_page(
            session,
            condition(session, actor, looked, subjects=_subjects(), zone=_zone(session, looked)),
            before=request.args.get("before", type=int),
            after=request.args.get("after", type=int),
        )
    signer = services().get(Signer)
    kept = _kept(looked)
    return render(
        "portal/audit/index.html",
        head=head,
        verified=verified,
        page_of_entries=page,
        says=says,
        groups=choices(),
        looked=looked,
        typed=request.args,
        problems=problems,
        older=url_for("ledger.index", before=page.older, **kept) if page.older else "",
        newer=url_for("ledger.index", after=page.newer, **kept) if page.newer else "",
        export_url=url_for("ledger.export", **kept),
        limited=actor.audit is not None and actor.audit.limited,
        zone=ZoneInfo(actor.timezone),
        fingerprint=fingerprint(signer.public_key),
        verifier=signer.verifier,
    )


@blueprint.get("/ledger/<int:number>")
@requires(Permission.READ_LEDGER)
def entry(number: int) -> Response:
    """One entry with all that proves it."""
    actor = current_actor()
    with reading() as session:
        found = one_entry(session, number, visible(actor, _subjects()))
    return render("portal/audit/entry.html", entry=found, says=says, zone=ZoneInfo(actor.timezone))


@blueprint.get("/ledger/entries.jsonl")
@requires(Permission.READ_LEDGER)
def export() -> Response:
    """The exact texts of the entries that are looked for, a line each, oldest first; who took them is written down."""
    looked, problems = _looked()
    actor = current_actor()
    if problems:
        return index()
    with transaction() as session:
        wanted = condition(session, actor, looked, subjects=_subjects(), zone=_zone(session, looked))
        until = ledger_head(session).size
        record(
            session,
            EXPORTED,
            subject="ledger",
            actor=actor,
            facts={"until": until, "entries": count_of(session, wanted, until), "filter": looked.to_json()},
            personal={
                name: typed
                for name, typed in (("subject", looked.subject), ("person", looked.person))
                if typed
            },
        )
    db = services().get(Database)

    def lines() -> Iterator[bytes]:
        for part in every_body(db, wanted, until):
            yield "".join(f"{body}\n" for body in part).encode()

    response = Response(stream_with_context(lines()), mimetype="application/jsonl")
    response.headers["Content-Disposition"] = f'attachment; filename="ledger-{until}.jsonl"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/ledger/checkpoint")
@requires(Permission.READ_LEDGER)
def checkpoint() -> Response:
    """The last checkpoint as the file that verifiers take."""
    with reading() as session:
        note = ledger_head(session).note
    return file_response(note.encode(), name="checkpoint.note", media_type="text/plain; charset=utf-8")


def _subjects() -> Subjects:
    return services().get(Subjects)  # type: ignore[type-abstract]  # wiring made one that fits the protocol


def _zone(session: Session, looked: Looked) -> ZoneInfo:
    """The organisation's; asked for only where days are meant."""
    return zone_of(session) if looked.first_day or looked.last_day else ZoneInfo("UTC")


def _looked() -> tuple[Looked, dict[str, str]]:
    """What the address asks for, and what of it cannot be read, by field."""
    problems: dict[str, str] = {}

    def text(name: str) -> str:
        return request.args.get(name, "").strip()[:_LONGEST]

    def day(name: str) -> date | None:
        try:
            return date.fromisoformat(text(name)) if text(name) else None
        except ValueError:
            problems[name] = _("Enter the day like 2026-11-27.")
            return None

    looked = Looked(
        subject=text("subject"),
        person=text("person"),
        part="about" if text("part") == "about" else "did",
        what=text("tag"),
        first_day=day("first_day"),
        last_day=day("last_day"),
    )
    return looked, problems


def _kept(looked: Looked) -> dict[str, Any]:
    kept: dict[str, Any] = looked.to_json()
    if looked.subject:
        kept["subject"] = looked.subject
    if looked.person:
        kept |= {"person": looked.person, "part": looked.part}
    return kept
