"""Deviations: what did not go as published, planned or promised, as sentences that follow from the document alone.

The verifier computes them again, so that none can be left out of a file unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from approvals import tags as approval
from catalog.requests import tags
from portal.core.language import N_, _, spoken
from reports.evidence.document import Evidence, StagePart, StepPart
from reports.evidence.offering import offering_text
from reports.evidence.words import FOUND, spoken_span, spoken_time, word


def deviations_of(evidence: Evidence) -> list[str]:
    """The sentences, in the order of the request's way and the language that is spoken; facts hold the English ones."""
    return [
        *_planning(evidence),
        *_deciding(evidence),
        *(sentence for step in evidence.steps for sentence in _step(evidence, step)),
        *_ending(evidence),
        *_entries(evidence),
    ]


def later(one: str, other: str) -> bool:
    """Whether the one time lies after the other."""
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _planning(evidence: Evidence) -> Iterator[str]:
    if len(evidence.sealings) > 1:
        yield _(
            "The request was planned and sealed %(number)s times; approvals of an earlier seal are void and only the "
            "last seal counts.",
            number=len(evidence.sealings),
        )
    for sealing in evidence.sealings:
        for warning in sealing.warnings:
            yield _(
                "Shown to the approvers as a warning (seal of revision %(revision)s): %(warning)s",
                revision=sealing.revision,
                warning=spoken(warning),
            )
    last = evidence.sealings[-1] if evidence.sealings else None
    if last and not last.document.get("route"):
        yield _("No approval stage applied; the published offering itself approved the request.")


def _deciding(evidence: Evidence) -> Iterator[str]:
    for decision in evidence.decisions:
        if decision.voided_at:
            yield _(
                "The decision of %(name)s of %(time)s became void: %(why)s",
                name=evidence.person(decision.person),
                time=spoken_time(decision.decided_at),
                why=spoken(decision.voided_because),
            )
    for stage in evidence.stages:
        yield from _late(evidence, stage)


def _late(evidence: Evidence, stage: StagePart) -> Iterator[str]:
    if stage.due_at is None:
        return
    name = offering_text(evidence, stage.name)
    called = (
        _("The stage “%(name)s” (revision %(revision)s)", name=name, revision=stage.revision)
        if len(evidence.sealings) > 1
        else _("The stage “%(name)s”", name=name)
    )
    if stage.closed_at and later(stage.closed_at, stage.due_at):
        yield _(
            "%(stage)s ended %(span)s after it was due.",
            stage=called,
            span=spoken_span(stage.due_at, stage.closed_at),
        )
    elif stage.closed_at is None and later(evidence.as_of, stage.due_at):
        yield _(
            "%(stage)s is overdue by %(span)s.", stage=called, span=spoken_span(stage.due_at, evidence.as_of)
        )


def _step(evidence: Evidence, step: StepPart) -> Iterator[str]:
    words = {"position": step.position, "name": offering_text(evidence, step.name), "attempt": step.attempt}
    name = (
        _("Step %(position)s “%(name)s” (attempt %(attempt)s)", **words)
        if step.attempt > 1
        else _("Step %(position)s “%(name)s”", **words)
    )
    found = str(step.outcome.get("found", ""))
    if found:
        yield _("%(step)s: %(found)s", step=name, found=word(FOUND, found))
    if step.drifted:
        yield _(
            "%(step)s was not carried out, because the target was no longer as sealed: %(why)s",
            step=name,
            why=spoken(step.error),
        )
    elif step.state == "failed":
        yield _("%(step)s failed: %(why)s", step=name, why=spoken(step.error))
    elif step.state == "not-reverted":
        yield _(
            "%(step)s was carried out and could not be undone: %(why)s", step=name, why=spoken(step.error)
        )
    elif step.state == "reverted":
        yield _("%(step)s was carried out and undone.", step=name)


def _ending(evidence: Evidence) -> Iterator[str]:
    request = evidence.request
    done = request.fulfilled_at or request.closed_at or evidence.as_of
    if (
        request.promised_by
        and request.state not in {"withdrawn", "rejected"}
        and later(done, request.promised_by)
    ):
        late = spoken_span(request.promised_by, done)
        yield (
            _("The request was fulfilled %(span)s after the promised time.", span=late)
            if request.fulfilled_at
            else _("The request was not fulfilled by the promised time; it is %(span)s late.", span=late)
        )
    for entitlement in evidence.entitlements:
        ended, label = entitlement.ended_at, spoken(entitlement.label)
        if entitlement.ends_at and ended is None and later(evidence.as_of, entitlement.ends_at):
            yield _(
                "“%(label)s” should have ended at %(time)s and is still there.",
                label=label,
                time=spoken_time(entitlement.ends_at),
            )
        elif ended and (entitlement.ends_at is None or later(entitlement.ends_at, ended)):
            yield _("“%(label)s” ended early: %(why)s", label=label, why=spoken(entitlement.end_reason))


_SAID_OF = {
    tags.SEAL_MISMATCH: N_(
        "What was stored did not match the seal; nothing was carried out (entry %(number)s)."
    ),
    tags.STOPPED: N_(
        "Fulfilment was stopped before anything was applied or after it was undone (entry %(number)s)."
    ),
    tags.SET_ASIDE: N_(
        "A background task gave up after its tries and waited for an operator (entry %(number)s)."
    ),
    tags.RETRIED: N_("An operator had the work tried again (entry %(number)s)."),
    tags.UNDO_ASKED: N_("An operator had what was done undone (entry %(number)s)."),
    tags.BY_HAND_CLAIMED: N_("An operator said that a step was done or undone by hand (entry %(number)s)."),
    tags.BY_HAND_CONFIRMED: N_("A second operator confirmed what was done by hand (entry %(number)s)."),
    tags.BY_HAND_DECLINED: N_(
        "A second operator did not confirm what was said to be done by hand (entry %(number)s)."
    ),
    approval.GLASS_BROKEN: N_(
        "Two people broke the glass and carried it past its approvers (entry %(number)s)."
    ),
    approval.REVIEW_OPENED: N_(
        "It was carried out before its ordinary approvers had a say; they were to review it (entry %(number)s)."
    ),
    approval.REVIEW_FOUND_WRONG: N_("A reviewer found that it was not right (entry %(number)s)."),
    approval.REVIEW_LAPSED: N_("Nobody reviewed it in time (entry %(number)s)."),
}


def _entries(evidence: Evidence) -> Iterator[str]:
    for entry in evidence.ledger.entries:
        tag = str(entry.body.get("tag"))
        if tag in _SAID_OF:
            yield _(_SAID_OF[tag], number=entry.number)
        if set(entry.body.get("personal", {})) - set(entry.personal):
            yield _(
                "Personal values of entry %(number)s were erased; its proof still holds.", number=entry.number
            )
