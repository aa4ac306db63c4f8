"""What one connector brings to the shared contract test: itself, a real target, and orders."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from catalog.fulfilment.connectors.contract import Connector, Order

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class ConnectorCase:
    """A connector over a target of its own.

    `order` brings something to life that is not on the target yet. `bad_orders` can never be carried out.
    `snapshot` is the target's whole content, for comparing. `take_target_away` makes every call fail in
    passing, within `patience` seconds.
    """

    connector: Connector
    order: Order
    bad_orders: tuple[Order, ...]
    snapshot: Callable[[], object]
    take_target_away: Callable[[], None]
    patience: float = 6.0


#: Makes a case in an empty folder and clears it away at the end.
MakeCase = Callable[[Path], AbstractContextManager[ConnectorCase]]


def every_case() -> Iterator[tuple[str, MakeCase]]:
    """Each file in cases/ holds `CASES`, a table from a name to what makes the case."""
    for file in sorted(CASES.glob("*.py")):
        module = importlib.import_module(f"tests.catalog.fulfilment.connectors.cases.{file.stem}")
        yield from module.CASES.items()
