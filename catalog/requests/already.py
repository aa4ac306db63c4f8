"""Whether asking is needless: the targets allow everything already, and for as long."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.planning import StepOrder
from portal.core.language import every_language, spoken


def why_needless(orders: Sequence[StepOrder], connectors: Connectors) -> str:
    """The sentences that say that nothing would change, and by what; empty when approval is worth asking for.

    Only a connector that has `needless(order)` can say so. A membership that is there already may still want a
    request: it is how what nobody allowed becomes allowed, and how its end is moved. Raises ConnectorError.
    """
    reasons = []
    for step in orders:
        judge = getattr(connectors.get(step.connector), "needless", None)
        reason = judge(step.order) if judge is not None else ""
        if not reason:
            return ""
        reasons.append(reason)
    return every_language(lambda: " ".join(str(spoken(reason)) for reason in dict.fromkeys(reasons)))
