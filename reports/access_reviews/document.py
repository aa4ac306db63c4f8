"""The result of an access review as one JSON value: what was asked, who answered what, what was done, and the ledger's word.

Times are UTC in ISO 8601 with `+00:00`, digests `sha256:` and hex, people `person:<number>` as in the ledger. The
population's digest is SHA-256 over the canonical JSON of every item's `as_opened`, in order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.core.canonical import canonical_json
from reports.evidence.document import LedgerPart, PersonPart
from reports.evidence.terms import Count, Digest, Kept, Moment, Part, PersonRef

FORMAT = "countersign-access-review/1"
FILE_NAME = "access-review.json"
SCHEMA_NAME = "access-review.schema.json"
SCHEMA_FILE = Path(__file__).with_name("schema.json")
CHECKPOINT_NAME = "checkpoint.note"


class PortalPart(Part):
    """Which portal speaks."""

    address: str
    version: str


class ReviewPart(Part):
    """The campaign: why, over what, until when, and what became of what nobody answered."""

    name: str
    reason: str
    scope: dict[str, Any]
    at_end: Literal["revoke", "escalate"]
    more_days: Count
    state: Literal["open", "closed", "cancelled"]
    opened_by: PersonRef
    opened_at: Moment
    due_at: Moment
    closed_at: Moment | None
    closed_by: PersonRef | None
    close_reason: str
    total: Count
    population: Digest


class ItemPart(Part):
    """One item: as it was opened, and what was said and done. `ended_at` is when its target was read to be without it."""

    id: Count
    as_opened: dict[str, Any]
    label: Kept
    state: Literal["open", "kept", "changed", "revoked", "void"]
    turn: Count
    escalated: bool
    last_used_at: Moment | None
    answered_by: PersonRef | None
    answered_at: Moment | None
    said: str
    ends_at: Moment | None
    ended_at: Moment | None


class ReviewResult(Part):
    """Everything about one campaign."""

    format: Literal["countersign-access-review/1"]
    reference: Annotated[str, Field(pattern=r"^access-review-[1-9]\d*$")]
    #: When the checkpoint was signed: what happened later is not told.
    as_of: Moment
    portal: PortalPart
    review: ReviewPart
    items: tuple[ItemPart, ...]
    figures: dict[str, Count]
    people: tuple[PersonPart, ...]
    ledger: LedgerPart

    def to_json(self) -> bytes:
        """The file that is attached: canonical JSON (RFC 8785)."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def subject(self) -> str:
        """What the ledger calls the campaign."""
        return "access-review:" + self.reference.removeprefix("access-review-")

    def person(self, ref: str | None) -> str:
        """The name behind `person:<number>`; the reference itself where nobody is known by it."""
        return next((person.name for person in self.people if person.id == ref), ref or "")


def read_result(content: bytes) -> ReviewResult:
    """The document in the file. Raises ValueError (pydantic's ValidationError) for anything else."""
    return ReviewResult.model_validate_json(content)


def schema() -> str:
    """The JSON Schema (2020-12) of the document, as it is published in `schema.json`."""
    made = ReviewResult.model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **made}
    return json.dumps(made, indent=2, sort_keys=True) + "\n"
