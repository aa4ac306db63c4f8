"""Findings, and the words in which they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core.database import Base

#: Tables in people's words, where their name is none.
_WORDS: Mapping[str, str] = {
    "access_review_item": "item of an access review",
    "access_review_item_reviewer": "reviewer of an item of an access review",
    "api_token": "token",
    "attachment": "attached file",
    "artefact": "file made by fulfilment",
    "audit_draw": "draw of an audit's sample",
    "by_hand": "word that a step was done by hand",
    "change_restriction": "change window or freeze",
    "decision_signature": "signature of decision",
    "delegation_offering": "offering of a delegation",
    "entitlement_owner": "owner of an entitlement",
    "evidence_file": "evidence file",
    "finding": "finding of the reconciliation",
    "finding_acceptance": "acceptance of a finding",
    "glass": "word for an emergency change",
    "manual_item": "item of manual work",
    "manual_task": "manual work",
    "membership": "membership in a group",
    "offering_version": "version of an offering",
    "order_group": "group of orders",
    "person_absence": "absence",
    "personal_value": "personal value",
    "recertification_voice": "answer to a recertification",
    "remark": "question or comment",
    "review": "review of an emergency change",
    "review_word": "word in a review of an emergency change",
    "reviewer": "reviewer of an emergency change",
    "rota_shift": "shift of a rota",
    "sealing": "sealed document",
    "stage": "approval stage",
    "stage_approver": "approver of a stage",
    "standing_approval": "standing approval",
    "standing_signature": "signature under a standing approval",
    "standing_use": "use of a standing approval",
}


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """One row or file that does not fit. `entry` is the number of the entry that it goes against, if one tells of it."""

    table: str
    key: str
    entry: int | None
    sentence: str


def called(session: Session, table: str, key: str) -> str:
    """The row in people's words: “Decision 12 of SR-000001”, “Request 3 (SR-000003)”."""
    words = _WORDS.get(table, table.replace("_", " "))
    if table == "request":
        reference = session.scalar(select(Request.reference).where(Request.id == _number(key)))
        return f"Request {reference or key}"
    reference = _reference(session, table, key)
    return f"{words[0].upper()}{words[1:]} {key}" + (f" of {reference}" if reference else "")


def told_by(session: Session, number: int) -> str:
    """The entry in words: “entry 45 (approval:approved, request:SR-000001)”."""
    row = session.execute(select(Entry.tag, Entry.subject).where(Entry.number == number)).first()
    return f"entry {number} ({row.tag}, {row.subject})" if row else f"entry {number}"


def _reference(session: Session, table: str, key: str) -> str | None:
    if table not in Base.metadata.tables:
        return None
    columns = Base.metadata.tables[table].columns
    if "request_id" not in columns or "id" not in columns:
        return None
    statement = select(Request.reference).where(
        Request.id == select(columns["request_id"]).where(columns["id"] == _number(key)).scalar_subquery()
    )
    return session.scalar(statement)


def _number(key: str) -> int:
    return int(key) if key.isdecimal() else -1
