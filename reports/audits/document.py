"""The audit report's facts over a period as one JSON value. Its schema is published beside this file.

Times are UTC in ISO 8601 with `+00:00`, digests `sha256:` and hex, hashes and proofs base64, people
`person:<number>` as in the ledger. All JSON is canonical (RFC 8785). People's names stand in `people` alone.

How the parts prove each other:

* `ledger.before` and `ledger.after` are signed heads of the ledger before and after the period; `ledger.jsonl` in the
  bundle holds every leaf between them, so whoever hashes it onto the `edge` of the first arrives at the root of the
  second. Entry `before.size` is earlier than `query.from`; the order of the audit is under `after`, at or after `until`.
  The order's entry states `until`: the end of the last day, or the moment of the order where that day was not over yet.
* The submission entries among them carry the references that the population must have, without a gap, and the unit and
  offering that the query looks at. What the rows tell of state and times is what held at `as_of`, under `after`.
* Each file of evidence is proven under a head of its own, and `made` contains every one of them.
* `after` was fixed and shown before the auditor gave the nonce (an entry under `made` tells so), therefore nobody
  chose the sample. An entry of counting commits to the population's digest, also before the nonce.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from portal.core.canonical import canonical_json, digest
from reports.evidence.document import EntryPart, Portal, RotationPart
from reports.evidence.terms import Base64, Count, Digest, Moment, Part, PersonRef

FORMAT = "countersign-audit/1"
FILE_NAME = "audit.json"
SCHEMA_NAME = "audit.schema.json"
SCHEMA_FILE = Path(__file__).with_name("schema.json")

AuditReference = Annotated[str, Field(pattern=r"^AR-\d{6,}$")]
Reference = Annotated[str, Field(pattern=r"^SR-\d{6,}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", json_schema_extra={"format": "date"})]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
#: A number written out in digits, so that everybody computes with the same: "0.95".
Decimal = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,6})?$")]
Nonce = Annotated[str, Field(min_length=4, max_length=200)]
Kind = Literal["standard", "normal", "emergency"]
Promise = Literal["kept", "missed", "open", "none"]
Disclosure = Literal["whole", "scope"]


class QueryPart(Part):
    """What was asked for. The period is `first_day` to `last_day` of the zone, both included: `from` ≤ at < `until`.

    Units (those below a chosen one are listed too), offerings and controls: an empty list is all of them. A control is
    "framework identifier"; a request is in scope if its offering's version supports any of those listed.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    first_day: Day
    last_day: Day
    zone: str
    from_: Annotated[Moment, Field(alias="from")]
    until: Moment
    basis: Literal["submitted"]
    units: tuple[Slug, ...]
    offerings: tuple[Slug, ...]
    controls: tuple[str, ...]
    #: The language of the report's pages and of the sample's; the facts are the same in each.
    language: str
    ordered_by: PersonRef | None
    ordered_at: Moment


class HeadPart(Part):
    """A signed head of the ledger: a checkpoint as a C2SP signed note."""

    size: Count
    checkpoint: str


class BeforePart(Part):
    """The head before the period, or size 0 and no note where the ledger has none that is older.

    `edge` are the roots of the complete subtrees of its leaves, left to right: what a reader needs to go on hashing.
    """

    size: Count
    checkpoint: str | None
    edge: tuple[Base64, ...]


class EvidenceHeadPart(Part):
    """That `made` contains the head of that size, under which evidence of the sample is proven."""

    size: Count
    proof: tuple[Base64, ...]


class ConsistencyPart(Part):
    """RFC 6962 §2.1.2: that each head contains the one before. Empty where a size is 0 or both are equal."""

    before_after: tuple[Base64, ...]
    after_made: tuple[Base64, ...]
    #: One for each size that a head of the sample's evidence has, in order.
    evidence_made: tuple[EvidenceHeadPart, ...]


class AuditLedger(Part):
    """The ledger's word. Every entry is proven under `made`."""

    origin: str
    #: The ledger's public keys (name+hash+key), the newest last.
    verifiers: Annotated[tuple[str, ...], Field(min_length=1)]
    #: How one comes from the first of them to the last, under `made`; none where the key was never changed.
    rotations: tuple[RotationPart, ...]
    before: BeforePart
    after: HeadPart
    made: HeadPart
    consistency: ConsistencyPart
    entries: tuple[EntryPart, ...]


class CompletenessPart(Part):
    """The references under `after` that are not under `before`: gap-free from `first` to `last`.

    `previous` is the last reference under `before`. `submissions` = rows + `outside_period` + `outside_filter`.
    """

    first: Reference | None
    last: Reference | None
    previous: Reference | None
    submissions: Count
    outside_period: Count
    outside_filter: Count


class RowPart(Part):
    """One request of the population, as it was at `as_of`.

    `entry` is its submission entry. `unit` is the unit that it was asked for when submitted; `kind` and `beneficiary`
    are those of its last word (submitted, edited or prepared). `approvals` and `denials` are decisions that no
    one made void, over all revisions. `decided_at` is when its last approval was complete.
    `promise`: `missed` when the promised time passed before it was done, `kept` when it was done by then, `open` while
    it can still be kept, `none` where nothing was promised or the request ended without being carried out.
    """

    reference: Reference
    entry: Annotated[int, Field(ge=1)]
    submitted_at: Moment
    offering: Slug
    version: Annotated[int, Field(ge=1)]
    offering_digest: Digest
    unit: Slug
    kind: Kind
    state: str
    requester: PersonRef
    beneficiary: PersonRef
    decided_at: Moment | None
    fulfilled_at: Moment | None
    closed_at: Moment | None
    promised_by: Moment | None
    promise: Promise
    approvals: Count
    denials: Count
    seal: Digest | None
    controls: tuple[str, ...]


class PopulationPart(Part):
    """All requests in scope in order of their references. `digest` is over the rows' canonical JSON."""

    count: Count
    digest: Digest
    rows: tuple[RowPart, ...]


class FixedRule(Part):
    """So many, or all where there are fewer."""

    kind: Literal["fixed"]
    size: Annotated[int, Field(ge=1, le=10_000)]


class PercentRule(Part):
    """A part of the population, rounded up, but at least and at most so many: min(N, most, max(least, ⌈N·percent/100⌉))."""

    kind: Literal["percent"]
    percent: Decimal
    least: Annotated[int, Field(ge=1, le=10_000)]
    most: Annotated[int, Field(ge=1, le=10_000)]


class AttributeRule(Part):
    """Attribute sampling with no deviation expected (hypergeometric).

    With D = ⌈tolerable·N⌉ deviating requests, the smallest n for which a sample without any of them is no likelier than
    1 - confidence: ∏_{i<n} (N-D-i)/(N-i) ≤ 1 - confidence, in exact fractions; at most N.
    """

    kind: Literal["attribute"]
    confidence: Decimal
    tolerable: Decimal


Rule = Annotated[FixedRule | PercentRule | AttributeRule, Field(discriminator="kind")]


class EarlierPart(Part):
    """A draw before this one: its nonce and the entry that tells of it."""

    draw: Annotated[int, Field(ge=1)]
    nonce: Nonce
    entry: Annotated[int, Field(ge=1)]


class SamplePart(Part):
    """What was drawn. seed = SHA-256(root ‖ nonce in UTF-8), rank = SHA-256(seed ‖ reference in ASCII), lowest ranks first."""

    rule: Rule
    size: Count
    root: Base64
    nonce: Nonce
    seed: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    draw: Annotated[int, Field(ge=1)]
    earlier: tuple[EarlierPart, ...]
    references: tuple[Reference, ...]


class NamedPerson(Part):
    """Who is behind `person:<number>`."""

    name: str
    user_name: str
    unit: str


class FilePart(Part):
    """A member of the bundle."""

    name: str
    digest: Digest
    bytes: Count


class Audit(Part):
    """Everything that the report shows."""

    format: Literal["countersign-audit/1"]
    reference: AuditReference
    #: When `after` was signed: rows and sections tell what held then.
    as_of: Moment
    #: When `made` was signed: the date of the report, of its signature and of the bundle's members.
    made_at: Moment
    portal: Portal
    query: QueryPart
    ledger: AuditLedger
    disclosure: Disclosure
    #: How many lines of ledger.jsonl are only hashes.
    withheld: Count
    completeness: CompletenessPart
    population: PopulationPart
    sample: SamplePart
    people: dict[PersonRef, NamedPerson]
    units: dict[Slug, str]
    offerings: dict[Slug, str]
    sections: dict[str, Any]
    files: tuple[FilePart, ...]

    def to_json(self) -> bytes:
        """The file that is in the bundle and attached to the report: canonical JSON (RFC 8785)."""
        return canonical_json(self.model_dump(mode="json"))


def population_digest(rows: tuple[RowPart, ...]) -> str:
    """`sha256:` over the canonical JSON of the rows, in order."""
    return digest([row.model_dump(mode="json") for row in rows])


def read_audit(content: bytes) -> Audit:
    """The facts in the file. Raises ValueError (pydantic's ValidationError) for anything else."""
    return Audit.model_validate_json(content)


def schema() -> str:
    """The JSON Schema (2020-12) of the facts, as it is published in `schema.json`."""
    made = Audit.model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **made}
    return json.dumps(made, indent=2, sort_keys=True) + "\n"
