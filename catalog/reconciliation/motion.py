"""What is just being changed: it is neither found nor missed until it stands still."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import Connector, ConnectorError, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.effects import removes
from catalog.fulfilment.model import Step, StepState
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.database import is_sqlite


def keys_in_motion(session: Session, connectors: Connectors, kind: str) -> frozenset[str]:
    """The keys on this target that requests are bringing, taking away or undoing at this moment.

    Read this before the entitlements: what has come to rest in between is then in the record.
    """
    rows = session.execute(
        select(Step.connector, Step.plan)
        .join(Request, Request.id == Step.request_id)
        .where(
            Step.revision == Request.revision,
            or_(Request.state == State.FULFILLING, Step.state == StepState.UNDOING),
        )
        .execution_options(yield_per=None if is_sqlite(session) else 1000)
    )
    keys: set[str] = set()
    for connector_kind, document in rows:
        plan = Plan.from_json(document)
        if connector_kind == kind:
            keys |= _keys_of(connectors, kind, plan)
        elif plan.document.get("connector") == kind and "key" in plan.document:
            keys.add(str(plan.document["key"]))
    return frozenset(keys)


def _keys_of(connectors: Connectors, kind: str, plan: Plan) -> set[str]:
    try:
        connector: Connector = connectors.get(kind)
        return {connector.entitlement_key(plan), removes(connector, plan)} - {""}
    except (ConnectorError, KeyError):
        return set()
