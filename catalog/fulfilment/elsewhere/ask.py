"""A connector whose secrets another process holds: each call is a task on its queue, and waits for the answer there.

So a page previews a plan, and the worker of another queue reads a target, without any secret of that target. Acting is
not asked for: a step is carried out by a task of its own on the connector's queue, which checks the seal itself. Only
what a step of this portal did can be reverted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    Live,
    Order,
    Outcome,
    Plan,
    ReadBack,
)
from catalog.fulfilment.elsewhere.wire import decode, encode, error_from_json
from catalog.fulfilment.model import ConnectorCall
from portal.core.clock import now
from portal.core.database import Database
from portal.core.language import say
from portal.jobs import Task, TaskState, enqueue

ASK = "ask_connector"
#: Seconds that a call may take; reading everything on a target may take longer.
SECONDS, LONGEST_SECONDS = 30.0, 240.0
LOOK_SECONDS = 0.03
#: What a connector may answer beside its contract.
BESIDE = frozenset({"check", "last_used", "needless"})
#: What its class answers by itself, without asking the target.
PURE = frozenset({"expected_facts", "removal"})
#: Answers that nobody fetched are let go after this.
KEPT = timedelta(minutes=10)


class Elsewhere:
    """Stands for the connector of this kind and queue. `made_as` is its class, which says what it can beside the contract."""

    def __init__(self, kind: str, queue: str, db: Database, made_as: type[Any] | None = None) -> None:
        self.kind = kind
        self.queue = queue
        self.db = db
        self._made_as = made_as

    def __getattr__(self, name: str) -> Any:
        """What only some connectors answer, if the connector's class is one of them."""
        found = getattr(self.__dict__.get("_made_as"), name, None)
        if name in PURE and found is not None:
            return found
        if name.startswith("_") or found is None or (callable(found) and name not in BESIDE):
            raise AttributeError(name)
        return partial(self._ask, name) if callable(found) else found

    def choices(self, name: str) -> Sequence[Choice]:
        """As the connector answers."""
        return cast("Sequence[Choice]", self._ask("choices", name))

    def plan(self, order: Order) -> Plan:
        """As the connector answers."""
        return cast("Plan", self._ask("plan", order))

    def entitlement_key(self, plan: Plan) -> str:
        """As the connector answers."""
        return cast("str", self._ask("entitlement_key", plan))

    def brings_to_life(self, plan: Plan) -> bool:
        """As the connector answers; one that says nothing brings something to life."""
        return bool(self._ask("brings_to_life", plan))

    def removes(self, plan: Plan) -> str:
        """As the connector answers; one that says nothing takes nothing away."""
        return cast("str", self._ask("removes", plan))

    def apply(self, _plan: Plan, _key: str) -> Outcome:
        """Never: raises ConnectorError."""
        raise ConnectorError(
            say(
                "“%(kind)s” is carried out by the worker of the queue “%(queue)s” alone.",
                kind=self.kind,
                queue=self.queue,
            )
        )

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """As the connector answers."""
        return cast("ReadBack", self._ask("read_back", plan, key))

    def revert(self, plan: Plan, key: str) -> Outcome:
        """As the connector answers."""
        return cast("Outcome", self._ask("revert", plan, key))

    def live(self) -> Iterable[Live]:
        """As the connector answers."""
        return cast("Iterable[Live]", self._ask("live", seconds=LONGEST_SECONDS))

    def _ask(self, call: str, *question: Any, seconds: float = SECONDS) -> Any:
        try:
            number = self._put(call, list(question), seconds)
            answer = self._wait(number, seconds)
        except SQLAlchemyError as error:
            raise ConnectorError(say("The portal's database does not answer just now.")) from error
        if answer is None:
            message = say(
                "“%(kind)s” is asked through the queue “%(queue)s”, whose worker does not answer just now.",
                kind=self.kind,
                queue=self.queue,
            )
            raise ConnectorError(message)
        if "error" in answer:
            raise error_from_json(answer["error"])
        return decode(answer["answer"])

    def _put(self, call: str, question: list[Any], seconds: float) -> int:
        with self.db.transaction() as session:
            at = now(session)
            row = ConnectorCall(
                connector=self.kind,
                call=call,
                question=[encode(part) for part in question],
                asked_at=at,
                until=at + timedelta(seconds=seconds),
            )
            session.add(row)
            session.flush()
            enqueue(session, ASK, {"call_id": row.id}, queue=self.queue, first=True)
            return row.id

    def _wait(self, number: int, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        statement = select(ConnectorCall.answer).where(ConnectorCall.id == number)
        while True:
            with self.db.reading() as session:
                answer = session.scalar(statement)
            if answer is not None or time.monotonic() >= deadline:
                break
            time.sleep(LOOK_SECONDS)
        with suppress(SQLAlchemyError), self.db.transaction() as session:
            session.execute(delete(ConnectorCall).where(ConnectorCall.id == number))
            old = now(session) - KEPT
            session.execute(delete(ConnectorCall).where(ConnectorCall.asked_at < old))
            session.execute(
                delete(Task).where(Task.kind == ASK, Task.state == TaskState.DONE, Task.finished_at < old)
            )
        return answer
