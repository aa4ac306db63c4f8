"""Whether asking is needless: the target allows everything already."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.fulfilment.connectors.contract import Plan

#: Connectors whose effect, once there, gains nothing by being asked for again. A membership that is there already
#: may still want a request: it is how what nobody allowed becomes allowed, and how its end is moved.
_NEEDLESS_KINDS = frozenset({"firewall"})


def why_needless(plans: Sequence[Plan]) -> str:
    """The sentence that says that nothing would change and by what; empty when approval is worth asking for."""
    if not plans or not all(plan.already_true and plan.connector in _NEEDLESS_KINDS for plan in plans):
        return ""
    by_what = " ".join(dict.fromkeys(warning for plan in plans for warning in plan.warnings))
    return by_what or "This is allowed already, so nothing would change. You need not ask for it."
