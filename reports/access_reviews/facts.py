"""Gathering: one campaign's rows and ledger entries become its result. Nothing here reads the clock."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.access_reviews import tags
from catalog.access_reviews.closing import figures
from catalog.access_reviews.model import AccessReview, ItemState, ReviewItem
from catalog.entitlements.model import Entitlement
from catalog.requests.tags import ENTITLEMENT_ENDED
from portal.audit.holders.queries import cosigned_note
from portal.audit.model import Checkpoint
from portal.audit.proofs import ProvenEntry, proven_entries
from portal.audit.rotation import key_chain
from portal.core.canonical import canonical_json
from portal.core.language import kept
from portal.identity.model import Person
from reports.access_reviews.document import FORMAT, ReviewResult
from reports.evidence.facts import Ledger
from reports.evidence.rows import moment, ref

_PERSON = re.compile(r'"(person:[1-9]\d*)"')
#: What the ledger says of requests because of a review.
OF_REQUESTS = (tags.ENDED_BY_REVIEW, tags.MOVED, ENTITLEMENT_ENDED)
_AT_A_TIME = 200


def gather(
    session: Session, review: AccessReview, checkpoint: Checkpoint, ledger: Ledger, *, address: str
) -> ReviewResult:
    """Everything about the campaign, with proofs up to this checkpoint. The caller holds its row."""
    rows = session.execute(
        select(ReviewItem, Entitlement)
        .join(Entitlement, Entitlement.id == ReviewItem.entitlement_id)
        .where(ReviewItem.review_id == review.id)
        .order_by(ReviewItem.id)
    ).all()
    items = [_item(item, entitlement) for item, entitlement in rows]
    entries = _entries(session, review, [item for item, _entitlement in rows], ledger, size=checkpoint.size)
    keys = key_chain(session, checkpoint, ledger.verifier)
    told = {"review": _review(review), "items": items}
    whole = {
        "format": FORMAT,
        "reference": f"access-review-{review.id}",
        "as_of": moment(checkpoint.at),
        "portal": {"address": address, "version": version("countersign")},
        **told,
        "figures": figures(session, review.id),
        "people": _people(session, canonical_json(told).decode() + "".join(entry.body for entry in entries)),
        "ledger": {
            "origin": ledger.origin,
            "verifier": keys.verifier,
            "rotations": keys.to_json(),
            "checkpoint": cosigned_note(session, checkpoint.size),
            "entries": [entry.to_json() for entry in entries],
        },
    }
    return ReviewResult.model_validate_json(canonical_json(whole))


def _review(review: AccessReview) -> dict[str, Any]:
    return {
        "name": review.name,
        "reason": review.reason,
        "scope": review.scope,
        "at_end": review.at_end.value,
        "more_days": review.more_days,
        "state": review.state.value,
        "opened_by": ref(review.opened_by_id),
        "opened_at": moment(review.opened_at),
        "due_at": moment(review.due_at),
        "closed_at": _moment(review.closed_at),
        "closed_by": ref(review.closed_by_id),
        "close_reason": review.close_reason,
        "total": review.total,
        "population": review.digest,
    }


def _item(item: ReviewItem, entitlement: Entitlement) -> dict[str, Any]:
    revoked = item.state is ItemState.REVOKED
    return {
        "id": item.id,
        "as_opened": item.as_opened,
        "label": kept(entitlement.label),
        "state": item.state.value,
        "turn": item.turn,
        "escalated": item.escalated,
        "last_used_at": _moment(item.last_used_at),
        "answered_by": ref(item.answered_by_id),
        "answered_at": _moment(item.answered_at),
        "said": item.said,
        "ends_at": _moment(item.ends_at),
        "ended_at": _moment(entitlement.ended_at) if revoked else None,
    }


def _entries(
    session: Session, review: AccessReview, items: Sequence[ReviewItem], ledger: Ledger, *, size: int
) -> list[ProvenEntry]:
    found = proven_entries(session, (f"access-review:{review.id}", *ledger.subjects), size=size)
    touched = [
        item for item in items if item.state in (ItemState.REVOKED, ItemState.CHANGED) or item.turn > 1
    ]
    numbers = {item.entitlement_id for item in touched}
    subjects = sorted({f"request:{item.as_opened['request']}" for item in touched})
    for first in range(0, len(subjects), _AT_A_TIME):
        for entry in proven_entries(session, subjects[first : first + _AT_A_TIME], size=size):
            body = json.loads(entry.body)
            if body["tag"] in OF_REQUESTS and body["facts"].get("entitlement") in numbers:
                found.append(entry)
    return sorted(found, key=lambda entry: entry.number)


def _people(session: Session, text: str) -> list[dict[str, Any]]:
    numbers = {int(found.removeprefix("person:")) for found in _PERSON.findall(text)}
    people = session.scalars(
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
        for person in people
    ]


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None
