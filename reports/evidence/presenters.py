"""What the page shows, made from the document alone, so that the verifier can make the same page again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.merkle import leaf_hash
from portal.audit.notes import Head, NoteError, fingerprint, read_head, read_verifier_key
from portal.core.canonical import canonical_json, digest
from reports.evidence.claims import Claim, claim_of
from reports.evidence.document import Evidence, StagePart, StepPart
from reports.evidence.tags import KEY_INTRODUCED
from reports.evidence.timeline import Drawing, drawings_of
from reports.evidence.words import CHANGES, FOUND, STAGE_STATES, STEP_STATES, spoken_time

Rows = tuple[tuple[str, str], ...]
Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision as the table shows it."""

    stage: str
    person: str
    relation: str
    verdict: str
    when: str
    signed_in: str
    comment: str
    seal: str
    void: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage as the table shows it."""

    name: str
    state: str
    people: tuple[str, ...]
    needed: str
    times: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class StepCard:
    """One step: plan, application and read-back side by side."""

    title: str
    state: str
    target: str
    planned: Lines
    applied: Lines
    read: Lines
    found: str
    facts: Rows
    error: str
    key: str
    files: Rows


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One ledger entry."""

    number: int
    when: str
    tag: str
    by: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows."""

    evidence: Evidence
    claim: Claim
    offering: str
    head: Head
    ledger_fingerprint: str
    certificate: str
    json_digest: str
    as_of: str
    summary: Rows
    risk: Mapping[str, Any]
    seals: tuple[tuple[str, str, str], ...]
    drawings: tuple[Drawing, ...]
    stages: tuple[StageRow, ...]
    decisions: tuple[DecisionRow, ...]
    steps: tuple[StepCard, ...]
    entitlements: tuple[Rows, ...]
    entries: tuple[EntryRow, ...]


def page_of(evidence: Evidence) -> Page:
    """The page. Raises NoteError when the ledger's key or checkpoint cannot be read."""
    _, key = _verifier(evidence)
    last = evidence.sealings[-1].document if evidence.sealings else {}
    several = len(evidence.sealings) > 1
    return Page(
        evidence=evidence,
        claim=claim_of(evidence),
        offering=str(evidence.offering.document.get("name", evidence.offering.slug)),
        head=read_head(evidence.ledger.checkpoint),
        ledger_fingerprint=fingerprint(key),
        certificate=certificate_of(evidence),
        json_digest=digest(evidence.model_dump(mode="json")),
        as_of=spoken_time(evidence.as_of),
        summary=_summary(evidence),
        risk=last.get("risk") or {},
        seals=tuple(
            (str(sealing.revision), spoken_time(sealing.sealed_at), sealing.seal)
            for sealing in evidence.sealings
        ),
        drawings=drawings_of(evidence),
        stages=tuple(_stage(evidence, stage, several=several) for stage in evidence.stages),
        decisions=_decisions(evidence),
        steps=tuple(_step(step, several=several) for step in evidence.steps),
        entitlements=tuple(_entitlement(evidence, number) for number in range(len(evidence.entitlements))),
        entries=_entries(evidence),
    )


def certificate_of(evidence: Evidence) -> str:
    """The fingerprint of the certificate that the ledger names for signing files; empty when it names none."""
    named = [
        str(entry.body.get("facts", {}).get("certificate", ""))
        for entry in evidence.ledger.entries
        if entry.body.get("tag") == KEY_INTRODUCED
    ]
    return named[-1] if named else ""


def grouped(text: str) -> str:
    """A digest in groups of eight, so that eyes can compare it."""
    kind, _, digits = text.rpartition(":")
    groups = " ".join(digits[start : start + 8] for start in range(0, len(digits), 8))
    return f"{kind}: {groups}" if kind else groups


def _verifier(evidence: Evidence) -> tuple[str, Ed25519PublicKey]:
    try:
        return read_verifier_key(evidence.ledger.verifier)
    except (TypeError, UnicodeError) as error:
        raise NoteError("The ledger's key cannot be read") from error


def _summary(evidence: Evidence) -> Rows:
    request = evidence.request
    who = evidence.person(request.requester)
    whom = "themselves" if request.beneficiary == request.requester else evidence.person(request.beneficiary)
    rows = [
        ("Who", f"{who} asked, for {whom} ({request.unit})"),
        ("What", request.title),
        ("Why", request.reason or "No reason was asked for."),
        ("Submitted", spoken_time(request.submitted_at)),
        ("Promised by", spoken_time(request.promised_by) if request.promised_by else ""),
        ("Decided", spoken_time(request.decided_at) if request.decided_at else ""),
        ("Fulfilled", spoken_time(request.fulfilled_at) if request.fulfilled_at else ""),
        ("Closed", spoken_time(request.closed_at) if request.closed_at else ""),
        ("Ends", spoken_time(request.ends_at) if request.ends_at else ""),
        ("Outcome in words", request.outcome),
    ]
    return tuple((name, text) for name, text in rows if text)


def _stage(evidence: Evidence, stage: StagePart, *, several: bool) -> StageRow:
    times = [
        f"{word} {spoken_time(at)}"
        for word, at in (("Asked", stage.opened_at), ("Due", stage.due_at), ("Ended", stage.closed_at))
        if at
    ]
    return StageRow(
        name=stage.name + (f" (seal {stage.revision})" if several else ""),
        state=_stage_state(evidence, stage),
        people=tuple(f"{evidence.person(person.person)}, {person.relation}" for person in stage.approvers),
        needed=f"{stage.quorum} of {len(stage.approvers)}",
        times=tuple(times),
        because=stage.because,
    )


def _stage_state(evidence: Evidence, stage: StagePart) -> str:
    """A stage that had agreed may be closed later, by a denial elsewhere or a new plan."""
    agreed = sum(
        (decision.revision, decision.stage, decision.verdict) == (stage.revision, stage.slug, "approve")
        for decision in evidence.decisions
    )
    if stage.state == "closed" and agreed >= stage.quorum:
        return "Approved, then closed"
    return STAGE_STATES.get(stage.state, stage.state)


def _decisions(evidence: Evidence) -> tuple[DecisionRow, ...]:
    stages = {(stage.revision, stage.slug): stage for stage in evidence.stages}
    rows = []
    for decision in evidence.decisions:
        stage = stages.get((decision.revision, decision.stage))
        relations = [
            approver.relation
            for approver in (stage.approvers if stage else ())
            if approver.person == decision.person
        ]
        how = ", ".join(part for part in (" + ".join(decision.amr), decision.acr) if part)
        rows.append(
            DecisionRow(
                stage=stage.name if stage else decision.stage,
                person=evidence.person(decision.person),
                relation=relations[0] if relations else "",
                verdict="Approved" if decision.verdict == "approve" else "Denied",
                when=spoken_time(decision.decided_at),
                signed_in=f"Signed in {spoken_time(decision.auth_time)}" + (f": {how}" if how else ""),
                comment=decision.comment,
                seal=decision.seal,
                void=(
                    f"Void since {spoken_time(decision.voided_at)}: {decision.voided_because}"
                    if decision.voided_at
                    else ""
                ),
            )
        )
    return tuple(rows)


def _step(step: StepPart, *, several: bool) -> StepCard:
    number = f"Step {step.position}"
    if several:
        number += f" of seal {step.revision}"
    if step.attempt > 1:
        number += f", attempt {step.attempt}"
    found = str(step.outcome.get("found", ""))
    return StepCard(
        title=f"{number}: {step.name}",
        state=STEP_STATES.get(step.state, step.state),
        target=str(step.plan.get("target", "")),
        planned=_lines(step.plan),
        applied=_lines(step.outcome),
        read=_lines(step.read_back),
        found=FOUND.get(found, found) if step.outcome else "",
        facts=_facts(step.read_back.get("facts") or step.outcome.get("facts") or {}),
        error=step.error,
        key=step.key,
        files=tuple((file.name, f"{file.digest} ({file.bytes} bytes)") for file in step.artefacts),
    )


def _lines(value: Mapping[str, Any]) -> Lines:
    return tuple(
        (CHANGES.get(str(line.get("change")), str(line.get("change"))), str(line.get("text")))
        for line in value.get("lines") or ()
    )


def _facts(value: Mapping[str, Any]) -> Rows:
    return tuple((str(name).replace("_", " "), _shown(fact)) for name, fact in value.items())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _entitlement(evidence: Evidence, number: int) -> Rows:
    entitlement = evidence.entitlements[number]
    until = spoken_time(entitlement.ends_at) if entitlement.ends_at else "No end"
    rows = [
        ("What", entitlement.label),
        ("Where", entitlement.target),
        ("Holder", evidence.person(entitlement.holder)),
        ("Since", spoken_time(entitlement.granted_at)),
        ("Until", until),
        ("Ended", spoken_time(entitlement.ended_at) if entitlement.ended_at else ""),
        ("Why it ended", entitlement.end_reason),
        ("On the target", entitlement.key),
    ]
    return tuple((name, text) for name, text in rows if text)


def _entries(evidence: Evidence) -> tuple[EntryRow, ...]:
    rows = []
    for entry in evidence.ledger.entries:
        body = entry.body
        actor = str(body.get("actor", ""))
        rows.append(
            EntryRow(
                number=entry.number,
                when=spoken_time(str(body.get("at"))),
                tag=str(body.get("tag", "")),
                by="Countersign" if actor == "portal" else evidence.person(actor),
                leaf=leaf_hash(canonical_json(body)).hex(),
            )
        )
    return tuple(rows)
