"""The `read_by_hand` task: ask the target what it shows of what is said to be done by hand, for whoever confirms it."""

from __future__ import annotations

from typing import Any

from catalog.fulfilment.artefacts import lines_json
from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import ByHand, Step
from portal.core.clock import now
from portal.core.language import kept
from portal.jobs import Job

LOOK = "read_by_hand"


def read_by_hand(job: Job, *, connectors: Connectors) -> None:
    """Write down what the target says, or why it cannot say anything. Asked once: two people stand for the rest."""
    with job.reading() as session:
        row = session.get_one(ByHand, job.payload["by_hand_id"])
        step = session.get_one(Step, row.step_id)
    said = _ask(connectors, step)
    with job.transaction() as session:
        row = session.get_one(ByHand, row.id)
        row.target = {**said, "at": now(session).isoformat()}
        job.finish(session)


def _ask(connectors: Connectors, step: Step) -> dict[str, Any]:
    try:
        found = connectors.get(step.connector).read_back(Plan.from_json(step.plan), step.key)
    except ConnectorError as error:
        return {"present": None, "lines": [], "error": kept(error.message)}
    return {"present": found.present, "lines": lines_json(found.lines), "error": ""}
