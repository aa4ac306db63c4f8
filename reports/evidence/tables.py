"""The tables of the evidence page: stages, decisions, steps and ledger entries as rows of words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.audit.merkle import leaf_hash
from portal.core.canonical import canonical_json
from portal.core.language import spoken
from reports.evidence.document import Evidence, StagePart, StepPart
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


def stage_row(evidence: Evidence, stage: StagePart, *, several: bool) -> StageRow:
    """One stage; `several` says that the request was sealed more than once."""
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


def decision_rows(evidence: Evidence) -> tuple[DecisionRow, ...]:
    """Every decision, in order."""
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


def step_card(step: StepPart, *, several: bool) -> StepCard:
    """One step; `several` as for stages."""
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
        (CHANGES.get(str(line.get("change")), str(line.get("change"))), str(spoken(line.get("text"))))
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


def entry_rows(evidence: Evidence) -> tuple[EntryRow, ...]:
    """Every ledger entry, with its leaf's hash as it follows from the entry."""
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
