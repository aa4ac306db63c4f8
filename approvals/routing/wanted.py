"""Who a stage wants: the offering's words and the request's facts turned into one rule of a route."""

from __future__ import annotations

from catalog.offerings.facts import Facts
from catalog.offerings.route import Approvers
from catalog.offerings.rules import owner_rule_of, text_of
from portal.identity.unit_settings import UnitSettings


def rule_of(approvers: Approvers, facts: Facts) -> str:
    """The rule, in the words of approvals.routing.relations. Raises RuleFailed when a condition gives no value.

    What is chosen and owned by no group, or a computed group without a name, gives a group that has no members:
    the stage then climbs.
    """
    if approvers.relation is not None:
        return f"{approvers.relation}:{approvers.of}"
    if approvers.owner_of_group is not None:
        return f"group-owner:{approvers.owner_of_group}"
    if approvers.group is not None:
        return f"group:{approvers.group}"
    if approvers.group_from is not None:
        return f"group:{text_of(approvers.group_from, facts)}"
    return owner_rule_of(facts, approvers.owner_of or "")


def rule_in(unit: UnitSettings, rule: str) -> str:
    """The rule as it is in this unit, which may have named a group of its own for the one that decides elsewhere."""
    kind, _, slug = rule.partition(":")
    return f"group:{unit.group_for(slug)}" if kind == "group" else rule
