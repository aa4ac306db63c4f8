"""The `ask_connector` task: answers what a process without the secrets wants to know of a target."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from catalog.fulfilment.connectors.contract import Connector, ConnectorError, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.effects import brings_to_life, removes
from catalog.fulfilment.elsewhere.ask import BESIDE
from catalog.fulfilment.elsewhere.wire import cannot_be_said, decode, encode, error_to_json
from catalog.fulfilment.model import ConnectorCall, Step
from portal.core.clock import now
from portal.core.language import say
from portal.jobs import Job

#: What may be asked. Acting is not among it.
_CALLS = frozenset({"choices", "plan", "entitlement_key", "read_back", *BESIDE})


def answer_call(job: Job, *, connectors: Connectors) -> None:
    """Ask the connector and write its answer down, or its error. Nothing is done for whoever waits no more."""
    with job.reading() as session:
        call = session.get(ConnectorCall, job.payload["call_id"])
        late = call is None or call.answer is not None or call.until <= now(session)
    if call is None or late:
        return
    try:
        answer = {"answer": encode(_answer(job, connectors.get(call.connector), call))}
    except ConnectorError as error:
        answer = {"error": error_to_json(error)}
    except TypeError:
        answer = {"error": error_to_json(cannot_be_said(call.connector))}
    with job.transaction() as session:
        row = session.get(ConnectorCall, call.id)
        if row is not None:
            row.answer = answer
        job.finish(session)


def _answer(job: Job, connector: Connector, call: ConnectorCall) -> Any:
    question = decode(call.question)
    match call.call:
        case "live":
            return list(connector.live())
        case "brings_to_life":
            return brings_to_life(connector, *question)
        case "removes":
            return removes(connector, *question)
        case "revert":
            _insist_on_step(job, *question)
            return connector.revert(*question)
        case name if name in _CALLS:
            return getattr(connector, name)(*question)
    raise ConnectorError(say("A connector cannot be asked to “%(call)s”.", call=call.call), permanent=True)


def _insist_on_step(job: Job, plan: Plan, key: str) -> None:
    """Only what a step of this portal did may be taken back. Raises a permanent ConnectorError."""
    with job.reading() as session:
        kept = session.scalar(select(Step.plan).where(Step.key == key))
    if kept is None or Plan.from_json(kept).effect != plan.effect:
        raise ConnectorError(say("No step of this portal did what is to be undone."), permanent=True)
