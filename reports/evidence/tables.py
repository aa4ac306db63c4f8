"""The tables of the evidence page: stages, decisions, steps and ledger entries as rows of words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.audit.merkle import leaf_hash
from portal.core import times
from portal.core.canonical import canonical_json
from portal.core.language import N_, _, spoken
from reports.evidence.document import DecisionPart, Evidence, StagePart, StepPart
from reports.evidence.offering import offering_text
from reports.evidence.signed import signed_with
from reports.evidence.words import CHANGES, FOUND, STAGE_STATES, STEP_STATES, spoken_time, word

Rows = tuple[tuple[str, str], ...]
Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision as the table shows it."""

    stage: str
    person: str
    relation: str
    verdict: str
    good: bool
    when: str
    signed_in: str
    #: With which passkey it was signed; empty where a fresh sign-in was the signature.
    signed_with: str
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


#: What a stage's times are called.
_TIMES = (N_("Asked %(time)s"), N_("Due %(time)s"), N_("Ended %(time)s"))


def stage_row(evidence: Evidence, stage: StagePart, *, several: bool) -> StageRow:
    """One stage; `several` says that the request was sealed more than once."""
    moments = (stage.opened_at, stage.due_at, stage.closed_at)
    name = offering_text(evidence, stage.name)
    if stage.part_of:
        name = _("%(stage)s: %(part)s", stage=offering_text(evidence, stage.part_of), part=name)
    return StageRow(
        name=_("%(name)s (seal %(revision)s)", name=name, revision=stage.revision) if several else name,
        state=_stage_state(evidence, stage),
        people=tuple(
            f"{evidence.person(person.person)}, {spoken(person.relation)}" for person in stage.approvers
        ),
        needed=_(
            "%(quorum)s of %(number)s needed",
            quorum=times.number(stage.quorum),
            number=times.number(len(stage.approvers)),
        )
        if stage.quorum
        else _("signed in advance"),
        times=tuple(_(word, time=spoken_time(at)) for word, at in zip(_TIMES, moments, strict=True) if at),
        because=str(spoken(stage.because)),
    )


def _stage_state(evidence: Evidence, stage: StagePart) -> str:
    """A stage that had agreed may be closed later, by a denial elsewhere or a new plan."""
    agreed = sum(
        (decision.revision, decision.stage, decision.verdict) == (stage.revision, stage.slug, "approve")
        for decision in evidence.decisions
    )
    if stage.state == "closed" and agreed >= stage.quorum:
        return _("Approved, then closed")
    return word(STAGE_STATES, stage.state)


def decision_rows(evidence: Evidence) -> tuple[DecisionRow, ...]:
    """Every decision, in order."""
    return tuple(_decision_row(evidence, decision) for decision in evidence.decisions)


def _decision_row(evidence: Evidence, decision: DecisionPart) -> DecisionRow:
    place = (decision.revision, decision.stage)
    stage = next((one for one in evidence.stages if (one.revision, one.slug) == place), None)
    right = decision.on_behalf_of or decision.person
    relations = [
        str(spoken(approver.relation))
        for approver in (stage.approvers if stage else ())
        if approver.person == right
    ]
    relation = relations[0] if relations else ""
    if decision.on_behalf_of:
        relation = _("for %(name)s", name=evidence.person(decision.on_behalf_of)) + (
            f", {relation}" if relation else ""
        )
    time = spoken_time(decision.auth_time)
    how = ", ".join(part for part in (" + ".join(decision.amr), decision.acr) if part)
    approved = decision.verdict == "approve"
    return DecisionRow(
        stage=offering_text(evidence, stage.name) if stage else decision.stage,
        person=evidence.person(decision.person),
        relation=relation,
        verdict=_("Approved") if approved else _("Denied"),
        good=approved,
        when=spoken_time(decision.decided_at),
        signed_in=_("Signed in %(time)s: %(how)s", time=time, how=how)
        if how
        else _("Signed in %(time)s", time=time),
        signed_with=signed_with(evidence, decision),
        comment=decision.comment,
        seal=decision.seal,
        void=_(
            "Void since %(time)s: %(why)s",
            time=spoken_time(decision.voided_at),
            why=spoken(decision.voided_because),
        )
        if decision.voided_at
        else "",
    )


def step_card(evidence: Evidence, step: StepPart, *, several: bool) -> StepCard:
    """One step; `several` as for stages."""
    found = str(step.outcome.get("found", ""))
    return StepCard(
        title=_step_title(evidence, step, several=several),
        state=word(STEP_STATES, step.state),
        target=str(step.plan.get("target", "")),
        planned=_lines(step.plan),
        applied=_lines(step.outcome),
        read=_lines(step.read_back),
        found=word(FOUND, found) if step.outcome else "",
        facts=_facts(step.read_back.get("facts") or step.outcome.get("facts") or {}),
        error=str(spoken(step.error)),
        key=step.key,
        files=tuple(
            (
                file.name,
                _("%(digest)s (%(number)s bytes)", digest=file.digest, number=file.bytes),
            )
            for file in step.artefacts
        ),
    )


def _step_title(evidence: Evidence, step: StepPart, *, several: bool) -> str:
    words = {
        "position": step.position,
        "revision": step.revision,
        "attempt": step.attempt,
        "name": offering_text(evidence, step.name),
    }
    if several and step.attempt > 1:
        return _("Step %(position)s of seal %(revision)s, attempt %(attempt)s: %(name)s", **words)
    if several:
        return _("Step %(position)s of seal %(revision)s: %(name)s", **words)
    if step.attempt > 1:
        return _("Step %(position)s, attempt %(attempt)s: %(name)s", **words)
    return _("Step %(position)s: %(name)s", **words)


def _lines(value: Mapping[str, Any]) -> Lines:
    return tuple(
        (word(CHANGES, str(line.get("change"))), str(spoken(line.get("text"))))
        for line in value.get("lines") or ()
    )


def _facts(value: Mapping[str, Any]) -> Rows:
    return tuple((str(name).replace("_", " "), _shown(fact)) for name, fact in value.items())


def _shown(value: Any) -> str:
    value = spoken(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or _("none")
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
