"""The claim: one sentence that the file makes, and that its attached facts must bear out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from portal.core.language import N_, _, ngettext
from reports.evidence.beside import signers_of, standing_stage
from reports.evidence.document import DecisionPart, Evidence, StepPart
from reports.evidence.offering import offering_name
from reports.evidence.words import STATES, listed, spoken_day, word

Tone = Literal["good", "bad", "wait"]
_ON_TARGET = frozenset({"applying", "applied", "done"})


@dataclass(frozen=True, slots=True)
class Claim:
    """`status` is the state in words, `sentence` what follows from it."""

    status: str
    sentence: str
    tone: Tone


def claim_of(evidence: Evidence) -> Claim:
    """What this file claims of the request, in the language that is spoken."""
    state = evidence.request.state
    status = word(STATES, state)
    match state:
        case "fulfilled" | "ended":
            return Claim(status, _fulfilled(evidence), "good")
        case "rejected":
            return Claim(status, _denial(evidence), "bad")
        case "withdrawn":
            return Claim(status, _closed(evidence, _WITHDRAWN), "wait")
        case "refused":
            return Claim(status, _closed(evidence, _REFUSED), "bad")
        case "failed":
            return Claim(
                status, _("This request could not be carried out; %(left)s.", left=_left(evidence)), "bad"
            )
        case _state:
            sentence = _(
                "This request was not finished by %(day)s; %(left)s.",
                day=spoken_day(evidence.as_of),
                left=_left(evidence),
            )
            return Claim(status, sentence, "wait")


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
    found = {str(step.outcome.get("found", "")) for step in last_steps(evidence)}
    there = found == {"already-true"}
    approvals = counting_approvals(evidence)
    if approvals:
        names = listed(list(dict.fromkeys(evidence.person(decision.person) for decision in approvals)))
        day = spoken_day(approvals[-1].decided_at)
        sentence = (
            _(
                "What %(names)s approved on %(day)s was already in place, and the target showed it when it was read back.",
                names=names,
                day=day,
            )
            if there
            else _(
                "What %(names)s approved on %(day)s was carried out unchanged, and the target showed it when it was read back.",
                names=names,
                day=day,
            )
        )
    elif (standing := standing_stage(evidence)) is not None:
        names = signers_of(evidence, standing)
        sentence = (
            _(
                "What %(names)s approved in advance was already in place, and the target showed it when it was read back.",
                names=names,
            )
            if there
            else _(
                "What %(names)s approved in advance was carried out unchanged, and the target showed it when it was read back.",
                names=names,
            )
        )
    else:
        name = offering_name(evidence)
        sentence = (
            _(
                "What the published offering “%(name)s” itself approves was already in place, and the target showed it when it was read back.",
                name=name,
            )
            if there
            else _(
                "What the published offering “%(name)s” itself approves was carried out unchanged, and the target showed it when it was read back.",
                name=name,
            )
        )
    ended = _("It has ended since.")
    return f"{sentence} {ended}" if evidence.request.state == "ended" else sentence


def _denial(evidence: Evidence) -> str:
    denials = [
        decision for decision in evidence.decisions if decision.verdict == "deny" and not decision.voided_at
    ]
    left = _left(evidence)
    if not denials:
        return _("This request was rejected; %(left)s.", left=left)
    last = denials[-1]
    return _(
        "%(name)s denied this request on %(day)s; %(left)s.",
        name=evidence.person(last.person),
        day=spoken_day(last.decided_at),
        left=left,
    )


#: How a request closed: with and without a day.
_WITHDRAWN = (
    N_("The requester withdrew this request on %(day)s; %(left)s."),
    N_("The requester withdrew this request; %(left)s."),
)
_REFUSED = (
    N_("The portal refused this request on %(day)s; %(left)s."),
    N_("The portal refused this request; %(left)s."),
)


def _closed(evidence: Evidence, sentences: tuple[str, str]) -> str:
    at = evidence.request.closed_at
    with_day, without = sentences
    left = _left(evidence)
    return _(with_day, day=spoken_day(at), left=left) if at else _(without, left=left)


def _left(evidence: Evidence) -> str:
    """What of it is on the target now; stands at the end of a sentence."""
    left = [step for step in evidence.steps if step.state in _ON_TARGET]
    stuck = [entry for entry in evidence.ledger.entries if entry.body.get("tag") == "step:not-reverted"]
    if stuck:
        return ngettext(
            "%(number)s step could not be undone", "%(number)s steps could not be undone", len(stuck)
        )
    if left:
        return ngettext(
            "%(number)s of its steps had been carried out",
            "%(number)s of its steps had been carried out",
            len(left),
        )
    if any(step.state == "reverted" for step in evidence.steps):
        return _("what had been carried out was undone")
    return _("nothing was carried out")
