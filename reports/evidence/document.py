"""The evidence document: everything about one request as one JSON value. Its schema is published beside this file.

Times are UTC in ISO 8601 with `+00:00`, digests `sha256:` and hex, people `person:<number>` as in the ledger.
What the seal covers, plans and offering texts are kept word for word, because digests are taken over them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.core.canonical import canonical_json
from portal.core.language import SOURCE
from reports.evidence.terms import (
    Base64,
    Count,
    Digest,
    EntitlementPart,
    Kept,
    Moment,
    Part,
    PersonRef,
    TargetReadingPart,
)

FORMAT = "countersign-evidence/1"
FILE_NAME = "evidence.json"
SCHEMA_FILE = Path(__file__).with_name("schema.json")


class Portal(Part):
    """Which portal speaks.

    `look` is the digest of the templates, styles and fonts that its pages are made with, `words` that of the
    messages of each language beside English, by its code.
    """

    address: str
    version: str
    look: Digest
    words: dict[str, Digest]


class PersonPart(Part):
    """Who is behind `person:<number>`. Issuer and subject are the identity; the name is what people call them."""

    id: PersonRef
    name: str
    user_name: str
    title: str
    unit: str
    issuer: str
    subject: str


class RequestPart(Part):
    """Who asked for what and why, and how far it came."""

    title: Kept
    reason: str
    state: str
    outcome: Kept
    revision: Count
    requester: PersonRef
    beneficiary: PersonRef
    editor: PersonRef
    unit: str
    seal: Digest | None
    submitted_at: Moment
    promised_by: Moment | None
    decided_at: Moment | None
    fulfilled_at: Moment | None
    closed_at: Moment | None
    ends_at: Moment | None


class OfferingPart(Part):
    """The published text that the request keeps."""

    slug: str
    version: Count
    digest: Digest
    published_at: Moment
    publisher: PersonRef | None
    document: dict[str, Any]


class AnswerPart(Part):
    """One answer: as it was checked, and as people read it."""

    name: str
    label: str
    value: Any
    shown: str


class SealingPart(Part):
    """What one seal covers. A request that is planned again has one for each revision."""

    revision: Count
    seal: Digest
    sealed_at: Moment
    document: dict[str, Any]
    warnings: tuple[Kept, ...]


class ApproverPart(Part):
    """One person who could decide in a stage, and why."""

    person: PersonRef
    relation: Kept
    rule: str


class StagePart(Part):
    """One stage of the approval chain. `target_minutes` are working minutes."""

    revision: Count
    position: Count
    #: Stages of one position are parts of one stage, `part_of`; they are counted from 0.
    part: Count
    slug: str
    name: Kept
    part_of: Kept
    quorum: Count
    acr: str
    state: str
    because: Kept
    target_minutes: Count
    opened_at: Moment | None
    due_at: Moment | None
    closed_at: Moment | None
    approvers: tuple[ApproverPart, ...]


class SignaturePart(Part):
    """What a passkey signed for a decision: a WebAuthn assertion, byte for byte (base64), and the nonce in its challenge.

    The challenge is SHA-256 over the canonical JSON of purpose, seal, verdict, stage, person and nonce; see
    approvals.signatures.challenge. The key is in the ledger's entry of its enrolment.
    """

    credential_id: Base64
    client_data: Base64
    authenticator_data: Base64
    signature: Base64
    nonce: str


class DecisionPart(Part):
    """One person's word on one seal, how they had signed in, and what their passkey signed where one did.

    `on_behalf_of` is the approver in whose place they decided by a delegation.
    """

    revision: Count
    stage: str
    person: PersonRef
    on_behalf_of: PersonRef | None
    verdict: Literal["approve", "deny"]
    comment: str
    decided_at: Moment
    seal: Digest
    auth_time: Moment
    acr: str
    amr: tuple[str, ...]
    signature: SignaturePart | None
    voided_at: Moment | None
    voided_because: Kept


class ArtefactPart(Part):
    """A file that fulfilment brought."""

    name: str
    digest: Digest
    bytes: Count


class StepPart(Part):
    """One step: the plan as sealed, what was done, what the target showed when it was read back."""

    revision: Count
    attempt: Count
    position: Count
    name: Kept
    connector: str
    state: str
    key: Digest
    plan: dict[str, Any]
    outcome: dict[str, Any]
    read_back: dict[str, Any]
    error: Kept
    drifted: bool
    started_at: Moment | None
    finished_at: Moment | None
    artefacts: tuple[ArtefactPart, ...]


class OpenedPart(Part):
    """The value behind a commitment in an entry, and the salt that opens it (base64)."""

    salt: Base64
    value: str


class EntryPart(Part):
    """One ledger entry, its personal values, and the proof that it is under the checkpoint (RFC 6962, base64)."""

    number: Annotated[int, Field(ge=1)]
    body: dict[str, Any]
    personal: dict[str, OpenedPart]
    inclusion: tuple[Base64, ...]


class RotationPart(Part):
    """One change of the ledger's key, provable to whoever was given the old one.

    The entry holds the statement that the old key and the new have signed; its `inclusion` is under the file's own
    checkpoint, as that of every entry. `checkpoint` is one that both keys signed, the other `inclusion` is under it,
    and `consistency` (RFC 6962 §2.1.2) leads from it to the file's own.
    """

    entry: EntryPart
    checkpoint: str
    inclusion: tuple[Base64, ...]
    consistency: tuple[Base64, ...]


class LedgerPart(Part):
    """The ledger's word: its name, its key, its signed head, and the entries about this request."""

    origin: str
    #: The key that signed the checkpoint: the newest to which the rotations lead.
    verifier: str
    #: From the ledger's first key to that one, oldest first; none where it was never changed.
    rotations: tuple[RotationPart, ...]
    checkpoint: str
    entries: tuple[EntryPart, ...]


class Evidence(Part):
    """Everything about one request."""

    format: Literal["countersign-evidence/1"]
    reference: Annotated[str, Field(pattern=r"^SR-\d{6,}$")]
    #: When the checkpoint was signed: what happened later is not told.
    as_of: Moment
    portal: Portal
    request: RequestPart
    people: tuple[PersonPart, ...]
    offering: OfferingPart
    answers: tuple[AnswerPart, ...]
    sealings: tuple[SealingPart, ...]
    stages: tuple[StagePart, ...]
    decisions: tuple[DecisionPart, ...]
    steps: tuple[StepPart, ...]
    entitlements: tuple[EntitlementPart, ...]
    #: The last comparison of each of those targets with what requests allow.
    target_readings: tuple[TargetReadingPart, ...] = ()
    #: What did not go as published, planned or promised; sentences.
    deviations: tuple[str, ...]
    #: Framework to the identifiers that this request supports.
    controls: dict[str, tuple[str, ...]]
    ledger: LedgerPart

    def to_json(self) -> bytes:
        """The file that is attached: canonical JSON (RFC 8785)."""
        return canonical_json(self.model_dump(mode="json"))

    def person(self, ref: str) -> str:
        """The name behind `person:<number>`; the reference itself where nobody is known by it."""
        return next((person.name for person in self.people if person.id == ref), ref)


def english(text: Kept) -> str:
    """A text of the portal's own as the ledger has it."""
    return text if isinstance(text, str) else text[SOURCE]


def read_evidence(content: bytes) -> Evidence:
    """The document in the file. Raises ValueError (pydantic's ValidationError) for anything else."""
    return Evidence.model_validate_json(content)


def schema() -> str:
    """The JSON Schema (2020-12) of the document, as it is published in `schema.json`."""
    made = Evidence.model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FORMAT, **made}
    return json.dumps(made, indent=2, sort_keys=True) + "\n"
