"""The HTTP connector over a tool on loopback: one that is asked how far it is, and one that calls back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorPending, Order, Outcome, Plan
from catalog.fulfilment.connectors.http import HttpConnector, read_targets
from catalog.fulfilment.connectors.http.callbacks import receive
from catalog.fulfilment.connectors.http.calls import message_id
from catalog.fulfilment.connectors.http.model import CallState, HttpCall
from portal.core.database import Database
from portal.core.destinations import Destinations
from portal.core.outgoing import Outgoing
from portal.tables import METADATA
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.tool import Tool, running, targets_file

BEATRIZ = Beneficiary("beatriz.sousa", "Beatriz Sousa", "beatriz.sousa@meridian.example")
ORDER = Order(
    "SR-000007", "isolate_host", {"target": "soar", "host": "app1.meridian.example", "hours": 4}, BEATRIZ
)
PUBLIC = "https://portal.meridian.example"


def connector_to(file: Path, db: Database, kind: type[HttpConnector] = HttpConnector) -> HttpConnector:
    """As the portal makes it from the operator's file."""
    targets = read_targets(file)
    places = Destinations.listed([str(target.origin) for target in targets.values()], ["127.0.0.1/32"])
    return kind(targets, Outgoing(places), db, PUBLIC)


class Prompt(HttpConnector):
    """The connector beside a tool that finishes as soon as it was asked, and calls back where it was told to."""

    tool: Tool

    def apply(self, plan: Plan, key: str) -> Outcome:
        with suppress(ConnectorPending):
            return super().apply(plan, key)
        self._finish()
        return super().apply(plan, key)

    def revert(self, plan: Plan, key: str) -> Outcome:
        with suppress(ConnectorPending):
            return super().revert(plan, key)
        self._finish()
        return super().revert(plan, key)

    def _finish(self) -> None:
        self.tool.finish()
        with self.db.reading() as session:
            calls = session.scalars(
                select(HttpCall).where(HttpCall.state == CallState.RUNNING).order_by(HttpCall.id)
            ).all()
        for call in calls:
            if call.document and self.tool.runs[message_id(call)]["callback"]:
                path, headers, body = self.tool.call_back(message_id(call))
                with self.db.transaction() as session:
                    receive(session, self, path.rpartition("/")[2], headers, body)


@contextmanager
def _case(folder: Path, **changes: Any) -> Iterator[ConnectorCase]:
    db = Database(f"sqlite:///{folder / 'portal.db'}")
    METADATA.create_all(db.engine)
    with running(at_once=changes.pop("at_once", "running")) as tool:
        connector = connector_to(targets_file(folder, tool, **changes), db, Prompt)
        connector.tool = tool
        yield ConnectorCase(
            connector=connector,
            order=ORDER,
            bad_orders=(
                replace(ORDER, parameters={**ORDER.parameters, "target": "no-such-tool"}),
                replace(ORDER, parameters={**ORDER.parameters, "target": tool.url}),
                replace(ORDER, parameters={**ORDER.parameters, "target": 7}),
                replace(ORDER, parameters={**ORDER.parameters, "host": "x" * 40_000}),
                replace(ORDER, parameters={**ORDER.parameters, "host": float("nan")}),
                replace(ORDER, beneficiary=Beneficiary("", "Nobody", "")),
            ),
            snapshot=tool.content,
            take_target_away=tool.stop,
        )
    db.dispose()


CASES = {
    "http-poll": partial(_case, mode="poll"),
    "http-callback": partial(_case, mode="callback"),
}
