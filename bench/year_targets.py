"""Targets in memory for the seeded year, which obey the contract of connectors and now and then refuse."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)

#: Of a thousand items, how many the target refuses for good.
REFUSED = 15


@dataclass
class MemoryTarget:
    """Keeps items by name; `refuses` decides by the name alone, so that a year is the same each time."""

    kind: str
    items: dict[str, str] = field(default_factory=dict)

    def choices(self, name: str) -> Sequence[Choice]:
        """None: items are typed."""
        return ()

    def plan(self, order: Order) -> Plan:
        """Put the item up."""
        item = str(order.parameters["item"])
        return Plan(
            connector=self.kind,
            action=order.action,
            target=f"the {self.kind}",
            lines=(PlanLine("add", f"Put “{item}” up in the {self.kind}"),),
            document={"item": item, "for": order.beneficiary.user_name},
            inverse={"take": item},
            already_true=item in self.items,
            warnings=(),
        )

    def entitlement_key(self, plan: Plan) -> str:
        """The item in this target."""
        return f"{self.kind}:{plan.document['item']}"

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Put it up. Raises ConnectorError for the few that are refused."""
        item = plan.document["item"]
        if zlib.crc32(f"{self.kind}{item}".encode()) % 1000 < REFUSED:
            message = f"The {self.kind} does not take “{item}”."
            raise ConnectorError(message, permanent=True)
        self.items.setdefault(item, key)
        return Outcome({"item": item}, (PlanLine("add", f"“{item}” stands in the {self.kind}"),))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether it is there."""
        item = plan.document["item"]
        there = item in self.items
        return ReadBack(
            there, {"item": item, "there": there}, (PlanLine("note", f"The {self.kind} shows “{item}”"),), {}
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Take it down."""
        item = plan.document["item"]
        self.items.pop(item, None)
        return Outcome({"item": item})

    def live(self) -> Iterable[Live]:
        """All of them."""
        return [Live(f"{self.kind}:{item}", item, {}) for item in self.items]
