"""A target that counts: it does as it is told each time that it is told, so what comes twice is seen twice."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

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

PUT, REFUSE = "put", "refuse"


class CountingConnector:
    """Words in a file, one line for each effect with the key that it was asked for by. What is to `refuse`, it refuses.

    Putting is not idempotent here on purpose: the portal must read before it asks again.
    """

    kind = "counting"

    def __init__(self, file: Path) -> None:
        self.file = file

    def choices(self, name: str) -> Sequence[Choice]:
        return ()

    def plan(self, order: Order) -> Plan:
        word = f"{order.action} {order.parameters['word']} of {order.reference}"
        return Plan(
            connector=self.kind,
            action=order.action,
            target="the counting target",
            lines=(PlanLine("add", f"Write {word}"),),
            document={"word": word},
            inverse={"strike": word},
            already_true=self._net()[word] > 0,
        )

    def entitlement_key(self, plan: Plan) -> str:
        return f"{self.kind}:{plan.document['word']}"

    def apply(self, plan: Plan, key: str) -> Outcome:
        if plan.action == REFUSE:
            raise ConnectorError("The counting target refuses this for good.", permanent=True)
        self._write("put", plan, key)
        return Outcome({"word": plan.document["word"]})

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        word = plan.document["word"]
        return ReadBack(self._net()[word] > 0, {"word": word})

    def revert(self, plan: Plan, key: str) -> Outcome:
        if self._net()[plan.document["word"]] > 0:
            self._write("strike", plan, key)
        return Outcome({"word": plan.document["word"]})

    def live(self) -> Iterable[Live]:
        return [Live(f"{self.kind}:{word}", word, {}) for word, count in self._net().items() if count > 0]

    def effects(self) -> Counter[tuple[str, str]]:
        """How often each thing was done for each key."""
        return Counter((line["what"], line["key"]) for line in self._lines())

    def _net(self) -> Counter[str]:
        net: Counter[str] = Counter()
        for line in self._lines():
            net[line["word"]] += 1 if line["what"] == "put" else -1
        return net

    def _lines(self) -> list[dict[str, str]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def _write(self, what: str, plan: Plan, key: str) -> None:
        line = json.dumps({"what": what, "key": key, "word": plan.document["word"]})
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(handle, f"{line}\n".encode())
        finally:
            os.close(handle)
