"""Assembling: everything that was counted, drawn and signed as the one value that audit.json is."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.audit.model import Checkpoint
from portal.core.canonical import canonical_json
from portal.core.language import LANGUAGES, SOURCE
from portal.identity.model import Person
from reports.audits import tags
from reports.audits.document import FORMAT, Audit, AuditLedger, EarlierPart, FilePart, read_audit
from reports.audits.ledger_part import ledger_part
from reports.audits.model import Audit as AuditRecord
from reports.audits.model import AuditDraw, AuditFacts
from reports.audits.ordering import query_of, rows_of
from reports.audits.sampling import seed_of
from reports.audits.scope import chunks
from reports.evidence.look import words_of
from reports.evidence.make import Workbench, subject_of
from reports.evidence.rows import moment, ref
from reports.pdf.keys import PdfKey

_PERSON = re.compile(r'"(person:[1-9]\d*)"')


def assemble(
    session: Session,
    bench: Workbench,
    made: AuditDraw,
    head: Checkpoint,
    *,
    key: PdfKey,
    files: Sequence[FilePart],
    evidence: Collection[int],
    withheld: int,
    look: str,
) -> Audit:
    """The audit's facts. `head` is the one that everything is proven under; `files` are the bundle's members.

    `evidence` are the sizes of the heads under which the sample's evidence is proven.
    """
    audit = made.audit
    facts = session.get_one(AuditFacts, audit.id)
    root = base64.b64decode(audit.root)
    rows = rows_of(session, audit.id)
    ledger = ledger_part(
        session,
        bench.signer,
        reference=audit.reference,
        certificate=subject_of(key),
        sizes=(audit.before_size or 0, audit.after_size or 0, head.size),
        evidence=evidence,
    )
    told: dict[str, Any] = {
        "format": FORMAT,
        "reference": audit.reference,
        "as_of": moment(_given(audit.as_of)),
        "made_at": moment(head.at),
        "portal": {
            "address": bench.address,
            "version": version("countersign"),
            "look": look,
            "words": {code: words_of(code) for code in LANGUAGES if code != SOURCE},
        },
        "query": _query(audit),
        "ledger": ledger.model_dump(mode="json"),
        "disclosure": audit.disclosure,
        "withheld": withheld,
        "completeness": facts.completeness,
        "population": {"count": len(rows), "digest": audit.population_digest, "rows": rows},
        "sample": {
            "rule": audit.rule,
            "size": len(made.drawn),
            "root": audit.root,
            "nonce": made.nonce,
            "seed": seed_of(root, made.nonce).hex(),
            "draw": made.number,
            "earlier": [one.model_dump(mode="json") for one in _earlier(ledger, made.number)],
            "references": made.drawn,
        },
        "units": facts.units,
        "offerings": facts.offerings,
        "sections": facts.sections,
        "files": [file.model_dump(mode="json") for file in sorted(files, key=lambda file: file.name)],
    }
    return read_audit(canonical_json({**told, "people": _people(session, told)}))


def _query(audit: AuditRecord) -> dict[str, Any]:
    query = query_of(audit)
    return {
        "first_day": query.first_day.isoformat(),
        "last_day": query.last_day.isoformat(),
        "zone": query.zone,
        "from": moment(query.begins),
        "until": moment(query.until),
        "basis": "submitted",
        "units": list(query.units),
        "offerings": list(query.offerings),
        "controls": list(query.controls),
        "language": audit.language,
        "ordered_by": ref(audit.ordered_by_id),
        "ordered_at": moment(audit.ordered_at),
    }


def _earlier(ledger: AuditLedger, number: int) -> list[EarlierPart]:
    """Every draw before this one, as the ledger tells of it."""
    found = [
        EarlierPart(draw=told["draw"], nonce=told["nonce"], entry=entry.number)
        for entry in ledger.entries
        if entry.body["tag"] == tags.NONCE_GIVEN
        for told in [entry.body["facts"]]
    ]
    return [one for one in found if one.draw < number]


def _people(session: Session, told: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Everybody who is named anywhere in the facts, by `person:<number>`."""
    numbers = sorted(
        {int(found.removeprefix("person:")) for found in _PERSON.findall(canonical_json(told).decode())}
    )
    people: dict[str, dict[str, str]] = {}
    for part in chunks(numbers):
        statement = (
            select(Person).where(Person.id.in_(part)).options(joinedload(Person.unit)).order_by(Person.id)
        )
        for person in session.scalars(statement):
            people[f"person:{person.id}"] = {
                "name": person.name,
                "user_name": person.user_name,
                "unit": person.unit.name,
            }
    return people


def _given(value: datetime | None) -> datetime:
    if value is None:
        message = "an audit that was counted has the time of its head"
        raise ValueError(message)
    return value
