"""Deviations: what did not go as published, planned or promised, as sentences that follow from the document alone.

The verifier computes them again, so that none can be left out of a file unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from catalog.requests import tags
from reports.evidence.document import Evidence, StagePart, StepPart
from reports.evidence.words import FOUND, spoken_span, spoken_time


def deviations_of(evidence: Evidence) -> list[str]:
    """The sentences, in the order of the request's way."""
    return [
        *_planning(evidence),
        *_deciding(evidence),
        *(sentence for step in evidence.steps for sentence in _step(step)),
        *_ending(evidence),
        *_entries(evidence),
    ]


def later(one: str, other: str) -> bool:
    """Whether the one time lies after the other."""
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _planning(evidence: Evidence) -> Iterator[str]:
    if len(evidence.sealings) > 1:
        yield (
            f"The request was planned and sealed {len(evidence.sealings)} times; approvals of an earlier seal are "
            "void and only the last seal counts."
        )
    for sealing in evidence.sealings:
        for warning in sealing.warnings:
            yield f"Shown to the approvers as a warning (seal of revision {sealing.revision}): {warning}"
    last = evidence.sealings[-1] if evidence.sealings else None
    if last and not last.document.get("route"):
        yield "No approval stage applied; the published offering itself approved the request."


def _deciding(evidence: Evidence) -> Iterator[str]:
    for decision in evidence.decisions:
        if decision.voided_at:
            yield (
                f"The decision of {evidence.person(decision.person)} of {spoken_time(decision.decided_at)} became "
                f"void: {decision.voided_because}"
            )
    for stage in evidence.stages:
        yield from _late(evidence, stage)


def _late(evidence: Evidence, stage: StagePart) -> Iterator[str]:
    if stage.due_at is None:
        return
    name = f"The stage “{stage.name}”" + (
        f" (revision {stage.revision})" if len(evidence.sealings) > 1 else ""
    )
    if stage.closed_at and later(stage.closed_at, stage.due_at):
        yield f"{name} ended {spoken_span(stage.due_at, stage.closed_at)} after it was due."
    elif stage.closed_at is None and later(evidence.as_of, stage.due_at):
        yield f"{name} is overdue by {spoken_span(stage.due_at, evidence.as_of)}."


def _step(step: StepPart) -> Iterator[str]:
    name = f"Step {step.position} “{step.name}”" + (f" (attempt {step.attempt})" if step.attempt > 1 else "")
    found = str(step.outcome.get("found", ""))
    if found:
        yield f"{name}: {FOUND.get(found, found)}"
    if step.drifted:
        yield f"{name} was not carried out, because the target was no longer as sealed: {step.error}"
    elif step.state == "failed":
        yield f"{name} failed: {step.error}"
    elif step.state == "reverted":
        yield f"{name} was carried out and undone."


def _ending(evidence: Evidence) -> Iterator[str]:
    request = evidence.request
    done = request.fulfilled_at or request.closed_at or evidence.as_of
    if (
        request.promised_by
        and request.state not in {"withdrawn", "rejected"}
        and later(done, request.promised_by)
    ):
        words = "was fulfilled" if request.fulfilled_at else "was not fulfilled"
        yield f"The request {words} by the promised time; it is {spoken_span(request.promised_by, done)} late."
    for entitlement in evidence.entitlements:
        ended = entitlement.ended_at
        if entitlement.ends_at and ended is None and later(evidence.as_of, entitlement.ends_at):
            yield f"“{entitlement.label}” should have ended at {spoken_time(entitlement.ends_at)} and is still there."
        elif ended and (entitlement.ends_at is None or later(entitlement.ends_at, ended)):
            yield f"“{entitlement.label}” ended early: {entitlement.end_reason}"


def _entries(evidence: Evidence) -> Iterator[str]:
    words = {
        tags.SEAL_MISMATCH: "What was stored did not match the seal; nothing was carried out (entry {}).",
        tags.STOPPED: "Fulfilment was stopped before anything was applied or after it was undone (entry {}).",
        tags.SET_ASIDE: "A background task gave up after its tries and waited for an operator (entry {}).",
        tags.RETRIED: "An operator had the work tried again (entry {}).",
    }
    for entry in evidence.ledger.entries:
        tag = entry.body.get("tag")
        if tag in words:
            yield words[tag].format(entry.number)
        if set(entry.body.get("personal", {})) - set(entry.personal):
            yield f"Personal values of entry {entry.number} were erased; its proof still holds."
