"""Seals: recomputed over what they name; what was decided and done must stand on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from approvals.timing.tags import ESCALATED
from portal.core.canonical import digest
from reports.evidence.document import (
    DecisionPart,
    Evidence,
    SealingPart,
    StagePart,
    StepPart,
    english,
)
from reports.evidence.verify.carried import carried_over
from reports.evidence.verify.entries import Entries, facts
from reports.evidence.verify.erased import check_erased_record, identities, record_erased
from reports.evidence.verify.result import Verification

#: What of a plan the seal covers.
PLAN_PARTS = ("connector", "action", "target", "lines", "document", "inverse")
#: The provider's clock may run this much ahead of the portal's.
CLOCK_SKEW = timedelta(seconds=60)


def check_seals(evidence: Evidence, result: Verification) -> None:
    """Offering, seals, decisions and steps against each other."""
    result.judge("offering", "The offering's text is the one whose digest is stated.", _offering(evidence))
    erased = record_erased(evidence)
    if erased is not None:
        check_erased_record(evidence, erased, result)
        result.judge("decisions", _count(evidence, "decision", len(evidence.decisions)), _decisions(evidence))
        return
    result.judge("seals", _count(evidence, "seal", len(evidence.sealings)), _sealings(evidence))
    result.judge("decisions", _count(evidence, "decision", len(evidence.decisions)), _decisions(evidence))
    result.judge("steps", _count(evidence, "step", len(evidence.steps)), _steps(evidence))


def _count(evidence: Evidence, what: str, number: int) -> str:
    match what, number:
        case "seal", 0:
            return "No seal was made, and none is claimed."
        case "seal", _:
            return "Every seal is the digest of the answers, plan, risk and approval chain that it names."
        case "decision", 0:
            return "No decision was made, and none is claimed."
        case "decision", _:
            return "Every decision that counts was made on the last seal, by a different person who could make it."
        case "step", 0:
            return "No step was ordered, and none is claimed."
        case _:
            return "Every step is the plan that was sealed, word for word."


def _offering(evidence: Evidence) -> Iterator[str]:
    if digest(evidence.offering.document) != evidence.offering.digest:
        yield "The offering's text is not the one whose digest is stated."
    if evidence.offering.document.get("slug") != evidence.offering.slug:
        yield "The offering's text is of another offering."
    if evidence.offering.document.get("controls") != {
        name: list(ids) for name, ids in evidence.controls.items()
    }:
        yield "The controls are not those that the offering names."


def _sealings(evidence: Evidence) -> Iterator[str]:
    for sealing in evidence.sealings:
        if digest(sealing.document) != sealing.seal:
            yield f"Seal {sealing.revision} is not the digest of what it names."
        yield from _sealed(evidence, sealing)
    if [sealing.revision for sealing in evidence.sealings] != list(range(1, len(evidence.sealings) + 1)):
        yield "The seals are not numbered one after another."
    last = evidence.sealings[-1] if evidence.sealings else None
    request = evidence.request
    if last and request.seal and last.seal != request.seal:
        yield "The request's seal is not the last one that was made."
    if request.seal and not last:
        yield "The request states a seal of which nothing is told."
    # A request that is prepared again has no seal meanwhile, nor later if it ends there; an edit changes its answers.
    has_none = request.seal is None and request.state in ("preparing", "refused", "withdrawn")
    if last and request.seal is None and not has_none:
        yield "The request states no seal, and went on."
    entries = Entries(evidence).tagged("request:sealed", "request:edited")
    is_edited = has_none and bool(entries) and entries[-1].body.get("tag") == "request:edited"
    if last and not is_edited and last.document.get("answers") != _answers(evidence):
        yield "The answers are not those that were sealed."


def _sealed(evidence: Evidence, sealing: SealingPart) -> Iterator[str]:
    document, number, request = sealing.document, sealing.revision, evidence.request
    told = {
        "reference": evidence.reference,
        "revision": number,
        "offering": evidence.offering.digest,
        "ends_at": request.ends_at,
        "requester": _identity(evidence, request.requester),
        "beneficiary": _identity(evidence, request.beneficiary),
    }
    # An edit between two seals may change these; the last seal is the one that the request keeps.
    if number != len(evidence.sealings):
        del told["ends_at"], told["beneficiary"]
    for name, value in told.items():
        if document.get(name) != value:
            yield f"Seal {number} covers another {name.replace('_', ' ')} than the facts state."
    stages = [stage for stage in evidence.stages if stage.revision == number]
    route = document.get("route") or []
    if [_without_carried(stage) for stage in route] != [_stage(evidence, stage) for stage in stages]:
        yield f"Seal {number} covers another approval chain than the facts state."
    yield from carried_over(evidence, sealing)


def _without_carried(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stage.items() if name != "carried"}


def _stage(evidence: Evidence, stage: StagePart) -> dict[str, Any]:
    """As it was sealed: whoever joined by an escalation, which the ledger tells of, came later."""
    joined = _joined(evidence, stage)
    people = [
        {**_identity(evidence, person.person), "rule": person.rule}
        for person in stage.approvers
        if (person.person, person.rule) not in joined
    ]
    return {
        "position": stage.position,
        "part": stage.part,
        "slug": stage.slug,
        "name": english(stage.name),
        "part_of": english(stage.part_of),
        "quorum": stage.quorum,
        "acr": stage.acr,
        "approvers": sorted(people, key=lambda person: (person["issuer"], person["subject"])),
    }


def _joined(evidence: Evidence, stage: StagePart) -> set[tuple[str, str]]:
    """Person and rule of everybody whom an escalation of this stage brought."""
    return {
        (str(one.get("person")), str(one.get("rule")))
        for entry in Entries(evidence).tagged(ESCALATED)
        if (facts(entry).get("revision"), facts(entry).get("stage")) == (stage.revision, stage.slug)
        for one in facts(entry).get("approvers") or ()
    }


def _identity(evidence: Evidence, ref: str) -> dict[str, str]:
    issuer, subject = identities(evidence).get(ref, ("", ""))
    return {"issuer": issuer, "subject": subject}


def _answers(evidence: Evidence) -> Mapping[str, Any]:
    """The answers as sealed: those that the page leaves out because they are empty count as they are sealed."""
    sealed = evidence.sealings[-1].document.get("answers", {})
    shown = {answer.name: answer.value for answer in evidence.answers}
    empty = {name: value for name, value in sealed.items() if value in (None, "", []) and name not in shown}
    return {**empty, **shown}


def _decisions(evidence: Evidence) -> Iterator[str]:
    seals = {sealing.revision: sealing.seal for sealing in evidence.sealings}
    stages = {(stage.revision, stage.slug): stage for stage in evidence.stages}
    seen: set[tuple[int, str]] = set()
    for decision in evidence.decisions:
        who = evidence.person(decision.person)
        if decision.seal != seals.get(decision.revision):
            yield f"The decision of {who} was made on another seal than the one that was made then."
        if decision.voided_at is None and decision.revision != evidence.request.revision:
            yield f"The decision of {who} is on an earlier seal and was not made void."
        # By a delegation the two count as one person.
        both = {(decision.revision, one) for one in (decision.person, decision.on_behalf_of) if one}
        if both & seen:
            yield f"{who} decided twice on one seal; one person counts once."
        seen |= both
        stage = stages.get((decision.revision, decision.stage))
        yield from _right(evidence, decision, stage, who)
    for stage in evidence.stages:
        yield from _quorum(evidence, stage)


def _right(evidence: Evidence, decision: DecisionPart, stage: StagePart | None, who: str) -> Iterator[str]:
    right = decision.on_behalf_of or decision.person
    if stage is None or right not in {approver.person for approver in stage.approvers}:
        yield f"{who} was not one of those who could decide in that stage."
    elif stage.acr and decision.acr != stage.acr:
        yield f"{who} had not signed in as strongly as the stage demands."
    barred = {evidence.request.requester, evidence.request.beneficiary, evidence.request.editor}
    if {decision.person, right} & (barred | {evidence.offering.publisher}):
        yield f"{who} asked for this, receives it, edited it or published the offering, and may not decide."
    if datetime.fromisoformat(decision.auth_time) > datetime.fromisoformat(decision.decided_at) + CLOCK_SKEW:
        yield f"{who} is said to have signed in after deciding."


def _quorum(evidence: Evidence, stage: StagePart) -> Iterator[str]:
    done = evidence.request.state in {"scheduled", "fulfilling", "fulfilled", "ended", "failed"}
    went_on = done and stage.revision == evidence.request.revision
    mine = [
        decision
        for decision in evidence.decisions
        if (decision.revision, decision.stage) == (stage.revision, stage.slug)
        # Only what the work rests on must still count; before it may have been made void by what came after.
        and not (went_on and decision.voided_at)
    ]
    approvals = [decision for decision in mine if decision.verdict == "approve"]
    if stage.state == "approved" and len(approvals) < stage.quorum:
        yield f"The stage “{english(stage.name)}” is said to be approved, but {len(approvals)} of {stage.quorum} agreed."
    if stage.state == "rejected" and not any(decision.verdict == "deny" for decision in mine):
        yield f"The stage “{english(stage.name)}” is said to be rejected, but nobody denied it."
    if went_on and stage.state != "approved":
        yield f"The request went on although the stage “{english(stage.name)}” was not approved."


def _steps(evidence: Evidence) -> Iterator[str]:
    sealings = {sealing.revision: sealing for sealing in evidence.sealings}
    for step in evidence.steps:
        name = f"Step {step.position} “{english(step.name)}”"
        sealing = sealings.get(step.revision)
        plans = sealing.document.get("plan", []) if sealing else []
        plan = {part: step.plan.get(part) for part in PLAN_PARTS}
        if not 0 < step.position <= len(plans) or plans[step.position - 1] != plan:
            yield f"{name} is not the plan that was sealed."
        if sealing and step.key != _key(evidence, step, sealing):
            yield f"{name} carries a key that does not follow from the request, the seal and the step."
        if step.connector != step.plan.get("connector") or step.name != step.plan.get("name"):
            yield f"{name} is named otherwise than in its plan."
    if evidence.request.state in {"fulfilled", "ended"}:
        yield from _all_done(evidence)


def _all_done(evidence: Evidence) -> Iterator[str]:
    plans = evidence.sealings[-1].document.get("plan", []) if evidence.sealings else []
    done = {
        step.position
        for step in evidence.steps
        if step.revision == evidence.request.revision
        and step.state in {"done", "reverted"}
        and step.read_back
    }
    if not plans or done != set(range(1, len(plans) + 1)):
        yield "The request is said to be fulfilled, but not every sealed step was applied and read back."


def _key(evidence: Evidence, step: StepPart, sealing: SealingPart) -> str:
    return digest(
        {
            "reference": evidence.reference,
            "step": step.position,
            "seal": sealing.seal,
            "attempt": step.attempt,
        }
    )
