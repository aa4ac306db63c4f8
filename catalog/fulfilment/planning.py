"""Planning: an offering's steps as orders to connectors, and what each would change on its target now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from catalog.entitlements.extending.orders import KIND as RECORD
from catalog.entitlements.extending.orders import STEP as EXTENDING
from catalog.entitlements.extending.orders import extension_order
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.first_aid import may_run
from catalog.offerings.rules import holds, parameters_of
from catalog.requests.context import Context, context_of
from catalog.requests.model import Request
from portal.core.language import _, spoken

#: Seconds that a page waits for a target; a worker waits as long as the connector does.
PREVIEW_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class StepOrder:
    """One step of an offering, resolved for one request: which connector is asked to do what.

    Its name, and what its connector hands to people, is in every language that the offering has.
    """

    step: str
    name: str
    connector: str
    order: Order


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step and the plan that its connector made for it."""

    step: str
    name: str
    plan: Plan

    def to_json(self) -> dict[str, Any]:
        """The plan as a request keeps it, with the step's name."""
        return {"step": self.step, "name": str(self.name), **self.plan.to_json()}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What targets answered a page that does not wait for ever: an answer, or why there is none.

    `unreachable` says which target did not answer; `refused` that it never will do this; both as they are spoken now.
    """

    answer: T
    unreachable: str = ""
    refused: str = ""


def orders_for(context: Context, *, reference: str = "") -> tuple[StepOrder, ...]:
    """The steps that are due for these answers; `reference` is empty before submitting. Raises RuleFailed."""
    document = context.document.source
    return tuple(
        StepOrder(
            step=step.step,
            name=document.say(step.name),
            connector=step.connector,
            order=Order(
                reference=reference,
                action=step.action,
                parameters=parameters,
                beneficiary=context.receiver,
                ends_at=context.ends_at,
                lasts=context.lasts,
            ),
        )
        for step in document.fulfilment
        if may_run(context.document, step, context.facts)
        and (step.when is None or holds(step.when, context.facts))
        for parameters in _each(parameters_of(step, context.facts))
    )


def _each(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A step whose parameter `each` is the rows of a table is done once for each row, with the row's parameters."""
    rows = parameters.get("each")
    if not isinstance(rows, list):
        yield parameters
        return
    rest = {name: value for name, value in parameters.items() if name != "each"}
    for row in rows:
        yield {**rest, **row}


def orders_of_request(session: Session, request: Request) -> tuple[StepOrder, ...]:
    """The steps of a submitted request, by the people as they are now. Raises PortalError."""
    return orders_in(session, request, context_of(session, request))


def orders_in(session: Session, request: Request, context: Context) -> tuple[StepOrder, ...]:
    """The steps of a submitted request in its context. An extension has one of its own. Raises Conflict, RuleFailed."""
    extending = extension_order(session, request, context)
    if extending is None:
        return orders_for(context, reference=request.reference)
    name, order = extending
    return (StepOrder(step=EXTENDING, name=name, connector=RECORD, order=order),)


def plan_steps(orders: Sequence[StepOrder], connectors: Connectors) -> tuple[PlannedStep, ...]:
    """Ask every step's connector what it would change; changes nothing. Raises ConnectorError."""
    return tuple(
        PlannedStep(step.step, step.name, connectors.get(step.connector).plan(step.order)) for step in orders
    )


def ask_briefly(ask: Callable[[], T], otherwise: T, *, seconds: float = PREVIEW_SECONDS) -> Asked[T]:
    """What targets answer within `seconds`, else `otherwise` and why. Never raises for a target's trouble.

    `ask` runs in another thread and so must not use the caller's database session.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="preview")
    try:
        return Asked(pool.submit(ask).result(timeout=seconds))
    except Late:
        return Asked(otherwise, unreachable=_("The target system does not answer just now."))
    except ConnectorError as error:
        if error.permanent:
            return Asked(otherwise, refused=spoken(error.message))
        return Asked(otherwise, unreachable=spoken(error.message))
    finally:
        # The page does not wait for a slow target; the connector's own time-out ends the thread.
        pool.shutdown(wait=False, cancel_futures=True)
