"""The five main flows: where each begins, and what is done in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.small_world import Moment, SmallWorld


@dataclass(frozen=True)
class Flow:
    """What is done, from the moment that the flow before it has come to; `first` prepares, uncounted."""

    name: str
    first: Callable[[SmallWorld], None]
    act: Callable[[SmallWorld], None]


def _submit(world: SmallWorld) -> None:
    world.submit()
    world.work()


def _until_the_end(world: SmallWorld) -> None:
    """The holder has been warned, and now the time is over."""
    world.clock.pass_time(days=26)
    world.work()
    world.clock.pass_time(days=8)


def _evidence(world: SmallWorld) -> None:
    world.take_evidence()
    world.work()


FLOWS = (
    Flow("submit and prepare", lambda world: world.draft(), _submit),
    Flow("decide and approve", lambda world: None, lambda world: world.approve()),
    Flow("fulfil", lambda world: None, lambda world: world.work()),
    Flow("end", _until_the_end, lambda world: world.work()),
    Flow("evidence", lambda world: None, _evidence),
)


def name_of_moment(flow: Flow) -> str:
    """What the moment before the flow is kept under."""
    return f"before_{flow.name.replace(' ', '_')}"


def moments(world: SmallWorld) -> dict[str, Moment]:
    """The moment at which each flow begins, by its name; the world plays all of them."""
    found = {}
    for flow in FLOWS:
        flow.first(world)
        found[flow.name] = world.keep(name_of_moment(flow))
        flow.act(world)
    return found
