"""What must be equal: the facts that a target shows of something live, and those that were sealed.

Two questions that a connector may answer beside its contract (catalog.fulfilment.connectors.contract.Explains).
One that says nothing is compared by identity alone, and what it governs is taken away by hand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from catalog.fulfilment.connectors.contract import Connector, Json, Live, Order, Plan
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.canonical import canonical_json

#: The action of a plan that records something live without touching it; its document holds the facts themselves.
ADOPT = "adopt"


class Difference(NamedTuple):
    """One fact that is not as it was sealed."""

    name: str
    sealed: Any
    found: Any


def expected_facts(connectors: Connectors, plan: Plan) -> Json:
    """The facts that the target shows for as long as the plan's effect is there as it was sealed."""
    if plan.action == ADOPT and "facts" in plan.document:
        return dict(plan.document["facts"])
    say = getattr(connectors.get(plan.connector), "expected_facts", None)
    return dict(say(plan)) if say is not None else {}


def differences(expected: Json, found: Json) -> tuple[Difference, ...]:
    """Each expected fact that is another one on the target, by name."""
    return tuple(
        Difference(name, value, found.get(name))
        for name, value in sorted(expected.items())
        if canonical_json(found.get(name)) != canonical_json(value)
    )


def removal_of(connector: Connector, live: Live, reference: str) -> Order | None:
    """The order that takes this off its target; None where the connector cannot take away by key."""
    say = getattr(connector, "removal", None)
    order: Order | None = say(live, reference) if say is not None else None
    return order


def governs(connector: Connector) -> bool:
    """Whether there is anything on a target of its own: a connector to the portal's own record has nothing live."""
    return bool(getattr(connector, "governs_a_target", True))
