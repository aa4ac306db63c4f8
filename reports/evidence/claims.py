"""The claim: one sentence that the file makes, and that its attached facts must bear out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reports.evidence.document import DecisionPart, Evidence, StepPart
from reports.evidence.words import STATES, listed, spoken_day

Tone = Literal["good", "bad", "wait"]
_ON_TARGET = frozenset({"applying", "applied", "done"})


@dataclass(frozen=True, slots=True)
class Claim:
    """`status` is the state in words, `sentence` what follows from it."""

    status: str
    sentence: str
    tone: Tone


def claim_of(evidence: Evidence) -> Claim:
    """What this file claims of the request."""
    state = evidence.request.state
    status = STATES.get(state, state)
    match state:
        case "fulfilled" | "ended":
            return Claim(status, _fulfilled(evidence), "good")
        case "rejected":
            return Claim(status, f"{_denial(evidence)}; {_left(evidence)}.", "bad")
        case "withdrawn":
            return Claim(
                status, f"The requester withdrew this request{_closed(evidence)}; {_left(evidence)}.", "wait"
            )
        case "refused":
            return Claim(
                status, f"The portal refused this request{_closed(evidence)}; {_left(evidence)}.", "bad"
            )
        case "failed":
            return Claim(status, f"This request could not be carried out; {_left(evidence)}.", "bad")
        case _:
            return Claim(
                status,
                f"This request was not finished by {spoken_day(evidence.as_of)}; {_left(evidence)}.",
                "wait",
            )


def counting_approvals(evidence: Evidence) -> list[DecisionPart]:
    """The approvals of the last seal that were not voided."""
    return [
        decision
        for decision in evidence.decisions
        if decision.verdict == "approve"
        and decision.voided_at is None
        and decision.revision == evidence.request.revision
    ]


def last_steps(evidence: Evidence) -> list[StepPart]:
    """The steps of the last attempt at the last seal."""
    mine = [step for step in evidence.steps if step.revision == evidence.request.revision]
    last = max((step.attempt for step in mine), default=0)
    return [step for step in mine if step.attempt == last]


def _fulfilled(evidence: Evidence) -> str:
    approvals = counting_approvals(evidence)
    if approvals:
        names = listed(list(dict.fromkeys(evidence.person(decision.person) for decision in approvals)))
        what = f"What {names} approved on {spoken_day(approvals[-1].decided_at)}"
    else:
        name = evidence.offering.document.get("name", evidence.offering.slug)
        what = f"What the published offering “{name}” itself approves"
    found = {str(step.outcome.get("found", "")) for step in last_steps(evidence)}
    done = "was already in place" if found == {"already-true"} else "was carried out unchanged"
    ended = " It has ended since." if evidence.request.state == "ended" else ""
    return f"{what} {done}, and the target showed it when it was read back.{ended}"


def _denial(evidence: Evidence) -> str:
    denials = [
        decision for decision in evidence.decisions if decision.verdict == "deny" and not decision.voided_at
    ]
    if not denials:
        return "This request was rejected"
    last = denials[-1]
    return f"{evidence.person(last.person)} denied this request on {spoken_day(last.decided_at)}"


def _closed(evidence: Evidence) -> str:
    return f" on {spoken_day(evidence.request.closed_at)}" if evidence.request.closed_at else ""


def _left(evidence: Evidence) -> str:
    """What of it is on the target now."""
    left = [step for step in evidence.steps if step.state in _ON_TARGET]
    stuck = [entry for entry in evidence.ledger.entries if entry.body.get("tag") == "step:not-reverted"]
    if stuck:
        return f"{len(stuck)} step{'s' if len(stuck) > 1 else ''} could not be undone"
    if left:
        return f"{len(left)} of its steps had been carried out"
    if any(step.state == "reverted" for step in evidence.steps):
        return "what had been carried out was undone"
    return "nothing was carried out"
