"""The tasks of what is live: warn before the end, take it away at the end."""

from __future__ import annotations

from catalog.entitlements.clock import END_ENTITLEMENT, WARN_OF_ENDING
from catalog.entitlements.ending import (
    ON_TIME,
    close_entitlement,
    get_locked_entitlement,
    needed_by_another,
    tell_holder,
)
from catalog.entitlements.model import EntitlementState
from catalog.fulfilment.connectors.contract import ConnectorError, ConnectorPending, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step
from portal.core.clock import now
from portal.core.language import say
from portal.jobs import Job, TaskError

__all__ = ["END_ENTITLEMENT", "WARN_OF_ENDING", "end_entitlement", "warn_of_ending"]


def end_entitlement(job: Job, *, connectors: Connectors) -> None:
    """Take what an entitlement allows away from the target, read that it is gone, and end it. Safe to run again.

    What another request still allows stays on the target. Raises TaskError when the target may answer later, and
    a permanent one when it refuses: then the task waits for an operator and the entitlement stays `ending`.
    """
    begun = _begin(job)
    if begun is None:
        return
    step, shared = begun
    if not shared:
        try:
            _take_away(connectors, step)
        except ConnectorPending:
            return  # people undo it; their last word has this task run again
    with job.transaction() as session:
        entitlement = get_locked_entitlement(session, job.payload["entitlement_id"])
        if entitlement.state is EntitlementState.ENDING:
            close_entitlement(session, entitlement, why=entitlement.end_reason)
            tell_holder(session, "entitlement_ended", entitlement)
        job.finish(session)


def warn_of_ending(job: Job) -> None:
    """Tell the holder that the end is near, unless it has come or was moved."""
    with job.transaction() as session:
        entitlement = get_locked_entitlement(session, job.payload["entitlement_id"])
        ends_at = entitlement.ends_at.isoformat() if entitlement.ends_at else ""
        if entitlement.state is EntitlementState.LIVE and ends_at == job.payload["ends_at"]:
            tell_holder(session, "entitlement_ending", entitlement)
        job.finish(session)


def _begin(job: Job) -> tuple[Step, bool] | None:
    """Write down that it is ending. Gives the step that made it, and whether another request needs it too."""
    with job.transaction() as session:
        entitlement = get_locked_entitlement(session, job.payload["entitlement_id"])
        if entitlement.state is EntitlementState.ENDED:
            return None
        if entitlement.state is EntitlementState.LIVE:
            if entitlement.ends_at is None or entitlement.ends_at > now(session):
                return None
            entitlement.state = EntitlementState.ENDING
            entitlement.end_reason = say(ON_TIME)
        return session.get_one(Step, entitlement.step_id), needed_by_another(session, entitlement)


def _take_away(connectors: Connectors, step: Step) -> None:
    plan = Plan.from_json(step.plan)
    try:
        connector = connectors.get(step.connector)
        connector.revert(plan, step.key)
        still_there = connector.read_back(plan, step.key).present
    except ConnectorPending:
        raise
    except ConnectorError as error:
        raise TaskError(error.message, permanent=error.permanent) from error
    if still_there:
        message = say(
            "%(target)s still shows what “%(step)s” had done; it is taken away again.",
            target=plan.target,
            step=step.name,
        )
        raise TaskError(message)
