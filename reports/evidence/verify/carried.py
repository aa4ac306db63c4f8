"""Stages that were carried over from an earlier seal: agreed then by enough, and nothing but the plan has moved since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.evidence.document import Evidence, SealingPart

_SAME = ("reference", "offering", "requester", "beneficiary", "answers", "ends_at", "risk")


def carried_over(evidence: Evidence, sealing: SealingPart) -> Iterator[str]:
    """What is wrong with the stages of this seal that rest on an earlier one."""
    route = sealing.document.get("route") or []
    last = max((stage.get("position", 0) for stage in route), default=0)
    for stage in route:
        if stage.get("carried"):
            yield from _rests_on(evidence, sealing, stage, asked=stage.get("position") == last)


def _rests_on(
    evidence: Evidence, sealing: SealingPart, stage: Mapping[str, Any], *, asked: bool
) -> Iterator[str]:
    name, carried = stage.get("name"), stage["carried"]
    earlier = next((one for one in evidence.sealings if one.seal == carried.get("seal")), None)
    if earlier is None or earlier.revision >= sealing.revision:
        yield f"The stage “{name}” of seal {sealing.revision} rests on a seal that was not made before it."
        return
    if asked or stage.get("quorum") != 0:
        yield f"The stage “{name}” of seal {sealing.revision} was to be asked again."
    if any(earlier.document.get(part) != sealing.document.get(part) for part in _SAME):
        yield f"More than the plan has changed since the stage “{name}” agreed on seal {earlier.revision}."
    before = [one for one in earlier.document.get("route") or [] if one.get("slug") == stage.get("slug")]
    needed = before[0].get("quorum") if before else None
    given = {
        decision.on_behalf_of or decision.person
        for decision in evidence.decisions
        if decision.revision == earlier.revision
        and decision.stage == stage.get("slug")
        and decision.verdict == "approve"
        and decision.seal == earlier.seal
    }
    if not needed or needed != carried.get("quorum") or len(given) < needed:
        yield f"The stage “{name}” had not agreed on seal {earlier.revision}, on which seal {sealing.revision} rests."
