"""The plan inside a plan: what takes a live thing away, made by the connector that governs it or for people."""

from __future__ import annotations

from typing import Any

from catalog.fulfilment.connectors.contract import Beneficiary, Live, Order, Plan, PlanLine
from catalog.fulfilment.connectors.registry import Connectors
from catalog.reconciliation.model import Finding
from catalog.reconciliation.sealed import removal_of
from portal.core.language import say

_MANUAL = "manual"
_OPERATORS = "operators"
_LONGEST_TITLE = 200


def inner_plan(connectors: Connectors, kind: str, live: Live, reference: str, owner: str) -> Plan:
    """How this is taken off the target of the connector of this kind.

    `owner` are the people who do it by hand where its connector cannot. Raises ConnectorError.
    """
    connector = connectors.get(kind)
    order = removal_of(connector, live, reference)
    if order is not None:
        return connector.plan(order)
    return connectors.get(_MANUAL).plan(_by_hand(kind, live, reference, owner))


def removal_plan(kind: str, action: str, order: Order, thing: Finding, inner: Plan) -> Plan:
    """The request's plan around the inner one, which is sealed as part of it."""
    note = PlanLine("note", say("No request allows this: %(label)s", label=thing.label))
    return Plan(
        connector=kind,
        action=action,
        target=inner.target,
        lines=(note, *inner.lines),
        document={
            "connector": thing.connector,
            "key": thing.key,
            "label": str(thing.label),
            "reference": order.reference,
            "carried_out_by": inner.connector,
            "inner": {
                "connector": inner.connector,
                "action": inner.action,
                "target": str(inner.target),
                "document": dict(inner.document),
                "inverse": dict(inner.inverse),
            },
        },
        inverse=dict(inner.inverse),
        already_true=inner.already_true,
        warnings=inner.warnings,
    )


def kept_plan(plan: Plan) -> Plan:
    """The inner plan of a removal, as it was sealed."""
    inner: dict[str, Any] = plan.document["inner"]
    return Plan(
        connector=inner["connector"],
        action=inner["action"],
        target=inner["target"],
        lines=plan.lines[1:],
        document=inner["document"],
        inverse=inner["inverse"],
        already_true=plan.already_true,
    )


def _by_hand(kind: str, live: Live, reference: str, owner: str) -> Order:
    title = say("Take away: %(label)s", label=live.label)
    if any(len(text) > _LONGEST_TITLE for text in getattr(title, "languages", {"en": title}).values()):
        title = say("Take away what no request allows")
    return Order(
        reference,
        "do",
        {
            "group": owner or _OPERATORS,
            "title": title,
            "instructions": say(
                "On the target “%(kind)s” this is live, and it is to be taken away: %(label)s (%(key)s)",
                kind=kind,
                label=live.label,
                key=live.key,
            ),
            "checklist": [say("It is taken away from the target")],
        },
        Beneficiary("", "", ""),
    )
