"""Failpoints: places that a worker passes, at which it stops and waits for what the harness does to it.

The product has none of this. The harness's own worker wraps what the product is made of: each handler, each transaction
of a job, each call of a connector, and the boundaries that fulfilment itself names.
"""

from __future__ import annotations

import inspect
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import Connector
from portal.jobs import Handler, Job

#: In the run's folder: what is armed, that it was reached, that the worker may go on, and every point passed.
ARMED, REACHED, GO, PASSED = "armed.json", "reached", "go", "passed"
#: These come round by the clock, so what passes here is left to chance.
KINDS_BY_THE_CLOCK = frozenset({"checkpoint", "hand_to_holder"})


class Failpoints:
    """What the worker's points are told to; `folder` is where the harness and the worker meet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counts: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        """Pass the point, or wait at it until told to go on, if it is the armed one."""
        self._counts[name] += 1
        with (self.folder / PASSED).open("a") as file:
            file.write(f"{name}\n")
        armed = self.folder / ARMED
        try:
            wanted = json.loads(armed.read_text())
            if wanted["name"] != name or self._counts[name] < wanted["occurrence"]:
                return
            armed.rename(self.folder / REACHED)
        except FileNotFoundError:
            return
        go = self.folder / GO
        while not go.exists():
            time.sleep(0.005)
        go.unlink()


@dataclass(frozen=True, slots=True)
class WatchedJob(Job):
    """A job whose every transaction has a point before and after its commit."""

    at: Callable[[str], None] = print

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """As a job's."""
        with Job.transaction(self) as session:
            yield session
            session.flush()
            self.at("before a commit")
        self.at("after a commit")


def watched_handlers(handlers: Mapping[str, Handler], point: Callable[[str], None]) -> dict[str, Handler]:
    """The same handlers, with points: at their begin and end, their commits, and the boundaries that they name."""
    return {
        kind: handler if kind in KINDS_BY_THE_CLOCK else _watched(kind, handler, point)
        for kind, handler in handlers.items()
    }


def _watched(kind: str, handler: Handler, point: Callable[[str], None]) -> Handler:
    def at(name: str) -> None:
        point(f"{kind}: {name}")

    if "on_boundary" in inspect.signature(handler).parameters:
        handler = partial(handler, on_boundary=at)

    def run(job: Job) -> None:
        at("begun")
        handler(WatchedJob(**{field.name: getattr(job, field.name) for field in fields(Job)}, at=at))
        at("over")

    return run


class WatchedConnector:
    """A connector with a point before and after each call that reads or changes its target."""

    def __init__(self, connector: Connector, point: Callable[[str], None]) -> None:
        self._connector, self._point = connector, point
        self.kind = connector.kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connector, name)
        if name not in {"plan", "apply", "read_back", "revert"}:
            return found

        def call(*args: Any) -> Any:
            self._point(f"{self.kind} {name}: asked")
            answer = found(*args)
            self._point(f"{self.kind} {name}: answered")
            return answer

        return call
