"""The manual connector over a real database, with a person who does at once what they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    ConnectorPending,
    Order,
    Outcome,
    Plan,
)
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.connectors.manual.doing import Said, finish
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.database import Database
from portal.core.errors import Conflict
from portal.identity.actor import Actor
from portal.tables import METADATA
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.fixtures_people import add_cast
from tests.fixtures_requests import add_offering

ROSA = Beneficiary("rosa.requester", "Rosa Requester", "rosa.requester@meridian.example")


@dataclass
class Willing(ManualConnector):
    """The connector beside somebody who ticks everything as soon as they are asked."""

    db: Database
    doer: Actor

    def apply(self, plan: Plan, key: str) -> Outcome:
        with suppress(ConnectorPending):
            return super().apply(plan, key)
        self._do()
        return super().apply(plan, key)

    def revert(self, plan: Plan, key: str) -> Outcome:
        with suppress(ConnectorPending):
            return super().revert(plan, key)
        self._do()
        return super().revert(plan, key)

    def _do(self) -> None:
        for task in self.open_tasks():
            with suppress(Conflict), self.db.transaction() as session:
                finish(session, self.doer, task, Said(ticked=range(1, 31)))

    def open_tasks(self) -> Sequence[int]:
        with self.db.reading() as session:
            return session.scalars(select(ManualTask.id).where(ManualTask.state == ManualState.OPEN)).all()

    def content(self) -> Any:
        with self.db.reading() as session:
            tasks = session.scalars(select(ManualTask).order_by(ManualTask.id)).all()
            return [(task.id, task.action, task.state, task.undone_at, task.closed_at) for task in tasks]


@contextmanager
def _case(folder: Path, *, undo: str) -> Iterator[ConnectorCase]:
    db = Database(f"sqlite:///{folder / 'portal.db'}")
    METADATA.create_all(db.engine)
    with db.transaction() as session:
        cast = add_cast(session)
        session.add(
            Request(
                number=7,
                reference="SR-000007",
                offering_version_id=add_offering(session),
                requester_id=cast["requester"],
                beneficiary_id=cast["requester"],
                editor_id=cast["requester"],
                unit_id=1,
                title="A badge",
                answers={},
                state=State.FULFILLING,
                submitted_at=now(session),
            )
        )
    connector = Willing(db, Actor("Olga Owner", cast["owner"]))
    order = Order(
        "SR-000007",
        "do",
        {
            "group": "crm-owners",
            "title": "Make a badge",
            "instructions": "The printer stands on the second floor.",
            "checklist": ["Print the badge", "Hand it over"],
            "undo": undo,
        },
        ROSA,
    )

    def with_(**parameters: Any) -> Order:
        return replace(order, parameters={**order.parameters, **parameters})

    def take_away() -> None:
        connector.db = Database("postgresql://postgres@127.0.0.1:1/away")

    yield ConnectorCase(
        connector=connector,
        order=order,
        bad_orders=(
            with_(group="no-such-group"),
            with_(group="unit-heads; drop table"),
            with_(title=""),
            with_(title="x" * 201),
            with_(title="Make\u202e a badge"),
            with_(checklist=[]),
            with_(checklist="\n \n"),
            with_(checklist=["x" * 301]),
            with_(checklist=[7]),
            with_(checklist=["item"] * 31),
            with_(instructions=7),
            with_(deadline="tomorrow"),
        ),
        snapshot=connector.content,
        take_target_away=take_away,
    )
    connector.db.dispose()
    db.dispose()


CASES = {
    "manual-undone-by-hand": partial(_case, undo="Take the badge back."),
    "manual-nothing-to-undo": partial(_case, undo=""),
}
