"""The comparison itself: what a target shows against what the record says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import Live
from catalog.fulfilment.connectors.registry import Connectors
from catalog.reconciliation.model import FindingKind
from catalog.reconciliation.record import Recorded
from catalog.reconciliation.sealed import differences, expected_facts


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that the record does not explain, as it was just seen."""

    key: str
    kind: FindingKind
    label: str
    facts: Mapping[str, Any]
    reference: str = ""
    entitlement_id: int | None = None
    differences: tuple[Mapping[str, Any], ...] = field(default=())


def judge(
    connectors: Connectors,
    batch: Sequence[Live],
    record: Mapping[str, Sequence[Recorded]],
    moving: Collection[str] = (),
) -> list[Verdict]:
    """What of these live things no entitlement explains as it stands; without what is just being changed."""
    found = []
    for live in batch:
        if live.key in moving:
            continue
        known = record.get(live.key)
        if not known:
            found.append(
                Verdict(live.key, FindingKind.UNEXPLAINED, live.label, dict(live.facts), live.reference)
            )
            continue
        verdict = _drift(connectors, live, known)
        if verdict is not None:
            found.append(verdict)
    return found


def _drift(connectors: Connectors, live: Live, known: Sequence[Recorded]) -> Verdict | None:
    """None when one of those that allow it allows just this, or when it is on its way out anyway."""
    allowing = [entitlement for entitlement in known if entitlement.state is EntitlementState.LIVE]
    if len(allowing) < len(known):
        return None
    differing = []
    for entitlement in allowing:
        found = differences(expected_facts(connectors, entitlement.plan), live.facts)
        if not found:
            return None
        differing.append((entitlement, found))
    latest, found = differing[-1]
    return Verdict(
        live.key,
        FindingKind.DRIFTED,
        live.label,
        dict(live.facts),
        live.reference,
        latest.id,
        tuple(difference._asdict() for difference in found),
    )
