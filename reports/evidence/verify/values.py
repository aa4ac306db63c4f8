"""The facts that any version's pages show, word for word, in the language that is spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portal.core.language import spoken
from reports.evidence.deviations import deviations_of
from reports.evidence.document import Evidence
from reports.evidence.offering import answers_shown, offering_text


def values_of(evidence: Evidence) -> tuple[str, ...]:
    """Every such text once, without the empty ones."""
    return tuple(dict.fromkeys(value for value in _values(evidence) if value.strip()))


def _values(evidence: Evidence) -> Iterator[str]:
    request = evidence.request
    yield from (evidence.reference, spoken(request.title), request.reason, spoken(request.outcome))
    yield from deviations_of(evidence)
    for answer in answers_shown(evidence):
        yield from (answer.label, answer.text)
    for sealing in evidence.sealings:
        yield sealing.seal
    for stage in evidence.stages:
        yield offering_text(evidence, stage.name)
        yield from (evidence.person(approver.person) for approver in stage.approvers)
    for decision in evidence.decisions:
        yield from (evidence.person(decision.person), decision.comment, decision.seal)
    for step in evidence.steps:
        yield from (offering_text(evidence, step.name), spoken(step.error))
        yield from (*_lines(step.plan), *_lines(step.outcome), *_lines(step.read_back))
    for entitlement in evidence.entitlements:
        yield from (spoken(entitlement.label), entitlement.target, entitlement.key)
    for framework, names in evidence.controls.items():
        yield from (framework, *names)
    for entry in evidence.ledger.entries:
        yield str(entry.body.get("tag", ""))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for line in value.get("lines") or ():
        yield str(spoken(line.get("text", "")))
