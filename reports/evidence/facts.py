"""Gathering: one request's rows and ledger entries become the evidence document. Nothing here reads the clock."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.offerings.queries import document_of
from catalog.requests.answers import answer_lines
from catalog.requests.model import Request
from portal.audit.holders.queries import cosigned_note
from portal.audit.identity import passkey_subject
from portal.audit.model import Checkpoint
from portal.audit.notes import read_head
from portal.audit.proofs import ProvenEntry, proven_entries
from portal.audit.rotation import key_chain
from portal.core.canonical import canonical_json, digest
from portal.core.language import LANGUAGES, SOURCE, kept
from portal.identity.erased import ISSUER as ERASED_ISSUER
from portal.identity.model import Person, Unit
from portal.identity.passkeys.ceremony import credential_digest
from reports.erasing.tags import erasure_subject
from reports.evidence.deviations import deviations_of
from reports.evidence.document import FORMAT, Evidence
from reports.evidence.look import look, words_of
from reports.evidence.rows import (
    decisions_json,
    entitlements_json,
    moment,
    ref,
    sealings_json,
    stages_json,
    steps_json,
    target_readings_json,
)

_PERSON = re.compile(r'"(person:[1-9]\d*)"')


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which ledger the entries come from, and its first key."""

    origin: str
    verifier: str
    #: Subjects beside the request's own whose entries belong to the story.
    subjects: tuple[str, ...] = ()


def gather(
    session: Session, request_id: int, checkpoint: Checkpoint, ledger: Ledger, *, address: str, note: str = ""
) -> Evidence:
    """Everything about the request, with proofs up to this checkpoint; `note` is its text where it was told before.

    The same rows and the same checkpoint give the same document, byte for byte. The caller holds the request's
    row, so that what is read belongs together.
    """
    request = _request(session, request_id)
    decisions = decisions_json(session, request.id)
    entries = _entries(session, request, ledger, decisions, size=checkpoint.size)
    story = _story(session, request, decisions, entries)
    entries = _with_erasures(session, entries, story["people"], size=checkpoint.size)
    keys = key_chain(session, checkpoint, ledger.verifier)
    whole = {
        "format": FORMAT,
        "as_of": moment(checkpoint.at),
        "portal": {
            "address": address,
            "version": version("countersign"),
            "look": look(),
            "words": {code: words_of(code) for code in LANGUAGES if code != SOURCE},
        },
        "ledger": {
            "origin": ledger.origin,
            "verifier": keys.verifier,
            "rotations": keys.to_json(),
            "checkpoint": note or cosigned_note(session, checkpoint.size),
            "entries": [entry.to_json() for entry in entries],
        },
        **story,
    }
    evidence = _read({**whole, "deviations": []})
    return _read({**whole, "deviations": deviations_of(evidence)})


def story_digest(evidence: Evidence) -> str:
    """Digest of all that is told but for the checkpoint and the proofs, which change whenever the ledger grows."""
    told = evidence.model_dump(mode="json")
    told["as_of"] = ""
    told["ledger"]["checkpoint"] = read_head(evidence.ledger.checkpoint).origin
    for entry in told["ledger"]["entries"]:
        entry["inclusion"] = []
    for rotation in told["ledger"]["rotations"]:
        rotation["entry"]["inclusion"] = rotation["consistency"] = []
    return digest(told)


def _read(value: Mapping[str, Any]) -> Evidence:
    return Evidence.model_validate_json(canonical_json(value))


def _request(session: Session, request_id: int) -> Request:
    statement = (
        select(Request)
        .where(Request.id == request_id)
        .options(
            joinedload(Request.version),
            joinedload(Request.requester),
            joinedload(Request.beneficiary).joinedload(Person.unit),
        )
    )
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _entries(
    session: Session, request: Request, ledger: Ledger, decisions: Sequence[Mapping[str, Any]], *, size: int
) -> list[ProvenEntry]:
    offering = f"offering:{request.version.document['slug']}"
    keys = {
        passkey_subject(credential_digest(base64.b64decode(decision["signature"]["credential_id"])))
        for decision in decisions
        if decision["signature"]
    }
    subjects = (f"request:{request.reference}", offering, *ledger.subjects, *sorted(keys))
    published = f'"digest":"{request.version.digest}"'
    return [
        entry
        for entry in proven_entries(session, subjects, size=size)
        if f'"subject":"{offering}"' not in entry.body
        or (published in entry.body and f'"version":{request.version.number}' in entry.body)
    ]


def _with_erasures(
    session: Session, entries: list[ProvenEntry], people: Sequence[Mapping[str, Any]], *, size: int
) -> list[ProvenEntry]:
    """The entries, and those that tell which of the people were erased, in the ledger's order."""
    subjects = [erasure_subject(int(one["subject"])) for one in people if one["issuer"] == ERASED_ISSUER]
    if not subjects:
        return entries
    return sorted([*entries, *proven_entries(session, subjects, size=size)], key=lambda entry: entry.number)


def _story(
    session: Session,
    request: Request,
    decisions: Sequence[Mapping[str, Any]],
    entries: Sequence[ProvenEntry],
) -> dict[str, Any]:
    document = document_of(request.version)
    told = {
        "reference": request.reference,
        "request": _request_json(session, request),
        "offering": {
            "slug": document.slug,
            "version": request.version.number,
            "digest": request.version.digest,
            "published_at": moment(request.version.published_at),
            "publisher": ref(request.version.publisher_id),
            "document": request.version.document,
        },
        "answers": [
            {
                "name": line.field,
                "label": line.label,
                "value": request.answers[line.field],
                "shown": line.text,
            }
            for line in answer_lines(document, request.answers)
        ],
        "sealings": sealings_json(session, request.id),
        "stages": stages_json(session, request.id),
        "decisions": decisions,
        "steps": steps_json(session, request.id),
        "entitlements": entitlements_json(session, request.id),
        "target_readings": target_readings_json(session, request.id),
        "controls": {framework: list(names) for framework, names in document.controls.items()},
    }
    return {**told, "people": _people(session, told, entries)}


def _request_json(session: Session, request: Request) -> dict[str, Any]:
    return {
        "title": kept(request.title),
        "reason": request.reason,
        "state": request.state.value,
        "outcome": kept(request.outcome),
        "revision": request.revision,
        "requester": ref(request.requester_id),
        "beneficiary": ref(request.beneficiary_id),
        "editor": ref(request.editor_id),
        "unit": session.get_one(Unit, request.unit_id).name,
        "seal": request.seal or None,
        "submitted_at": _moment(request.submitted_at),
        "promised_by": _moment(request.promised_by),
        "decided_at": _moment(request.decided_at),
        "fulfilled_at": _moment(request.fulfilled_at),
        "closed_at": _moment(request.closed_at),
        "ends_at": _moment(request.ends_at),
    }


def _people(
    session: Session, told: Mapping[str, Any], entries: Iterable[ProvenEntry]
) -> list[dict[str, Any]]:
    """Everybody who is named anywhere in the document."""
    text = canonical_json(told).decode() + "".join(entry.body for entry in entries)
    numbers = {int(found.removeprefix("person:")) for found in _PERSON.findall(text)}
    statement = (
        select(Person).where(Person.id.in_(numbers)).options(joinedload(Person.unit)).order_by(Person.id)
    )
    return [
        {
            "id": ref(person.id),
            "name": person.name,
            "user_name": person.user_name,
            "title": person.title,
            "unit": person.unit.name,
            "issuer": person.issuer,
            "subject": person.subject,
        }
        for person in session.scalars(statement)
    ]


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None
