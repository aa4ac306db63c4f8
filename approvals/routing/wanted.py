"""Who a stage wants: the offering's words and the request's facts turned into one rule of a route."""

from __future__ import annotations

from catalog.offerings.facts import Facts
from catalog.offerings.route import Approvers
from catalog.offerings.rules import owner_rule_of, text_of
from portal.identity.unit_settings import UnitSettings


def rule_of(approvers: Approvers, facts: Facts) -> str:
    """The rule, in the words of approvals.routing.relations. Raises RuleFailed when a condition gives no value.

    What is chosen and owned by no group, or a computed group without a name, gives a group that has no members;
    a person who was not named, nobody: the stage then climbs.
    """
    if approvers.relation is not None:
        return f"{approvers.relation}:{approvers.of}"
    if approvers.group_from is not None:
        return f"group:{text_of(approvers.group_from, facts)}"
    if approvers.person_in is not None:
        return f"named:{facts['answers'][approvers.person_in] or ''}"
    if approvers.owner_of is not None:
        return owner_rule_of(facts, approvers.owner_of)
    by_name = {
        "group": approvers.group,
        "group-owner": approvers.owner_of_group,
        "rota": approvers.rota,
    }
    return next(f"{kind}:{name}" for kind, name in by_name.items() if name is not None)


def rule_in(unit: UnitSettings, rule: str) -> str:
    """The rule as it is in this unit, which may have named a group of its own for the one that decides elsewhere."""
    kind, _, slug = rule.partition(":")
    return f"group:{unit.group_for(slug)}" if kind == "group" else rule
