"""What a request would change, read from the policy as it is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from catalog.fulfilment.connectors.firewall import changes, wording
from catalog.fulfilment.connectors.firewall.changes import Snapshot
from catalog.fulfilment.connectors.firewall.checks import Problem, RuleError, check_rule, rule_from_answers
from catalog.fulfilment.connectors.firewall.coverage import AlreadyAllowed, already_allowed
from catalog.fulfilment.connectors.firewall.policy import load_rule, rule_file, rule_path
from catalog.fulfilment.connectors.firewall.render import NFTABLES_PATH, RENDERED, nftables_chains, render
from catalog.fulfilment.connectors.firewall.rendered import differences, openings_of, read_nftables
from catalog.fulfilment.connectors.firewall.rules import REFERENCE, Rule
from portal.core.language import say

_ALLOW = {"source_zone", "destination_zone", "source", "destination", "protocol", "ports", "allow_wide"}


def plan_allow(order: Order, snapshot: Snapshot, target: str, now: datetime) -> Plan:
    """Raises RuleError for a rule that must not be, and a permanent ConnectorError for an order that is none.

    The step's parameter `allow_wide` is the offering's word that one more approver stands behind a wide rule.
    """
    _known(order, _ALLOW)
    rule = rule_from_answers(order.parameters, reference=order.reference, ends_at=order.ends_at)
    if rule.ended(now):
        raise RuleError([Problem("ends_at", say("The rule would end before it starts. Choose a later end."))])
    policy = snapshot.policy
    present = policy.rules.get(rule.reference)
    if present is not None and present != rule:
        raise ConnectorError(_says_something_else(rule), permanent=True)
    problems = check_rule(rule, policy.zones, policy.open_rules(now))
    refused = [
        problem
        for problem in problems
        if problem.severity == "stop" or order.parameters.get("allow_wide") is not True
    ]
    if refused:
        raise RuleError(refused)
    allowed = already(rule, snapshot, now)
    already_true = in_force(rule, snapshot, now)
    warnings = [problem.message for problem in problems]
    if allowed.answer == "yes":
        warnings.append(wording.with_full_stop(wording.overlap(allowed, policy)))
    return Plan(
        connector="firewall",
        action="allow",
        target=target,
        lines=(
            PlanLine("keep" if already_true else "add", say("Allow %(rule)s", rule=wording.sentence(rule))),
            PlanLine("note", wording.extent(rule)),
            *(PlanLine("note", text) for text in [wording.overlap(allowed, policy)] if text),
            *_mechanics(rule, snapshot, adds=True, done=already_true),
        ),
        document={"reference": rule.reference, "rule": rule.to_document()},
        inverse={"remove": rule.reference},
        already_true=already_true,
        warnings=tuple(warnings),
    )


def plan_remove(order: Order, snapshot: Snapshot, target: str, now: datetime, repository: Path) -> Plan:
    """Raises a permanent ConnectorError when no request ever brought that rule."""
    _known(order, {"rule"})
    reference = str(order.parameters.get("rule") or "")
    if not REFERENCE.fullmatch(reference):
        message = say("Name the rule to remove by its request's reference, like SR-000123.")
        raise ConnectorError(message, permanent=True)
    rule = snapshot.policy.rules.get(reference)
    gone = rule is None
    if rule is None:
        # Planning again after the removal must say the same, so that the seal still fits.
        text = changes.last_text(repository, snapshot.commit, rule_path(reference))
        if text is None:
            message = say("The firewall policy has no rule of %(reference)s.", reference=reference)
            raise ConnectorError(message, permanent=True)
        rule = load_rule(text)
    what = wording.sentence(rule)
    first = (
        PlanLine("keep", say("No longer allowed: %(rule)s", rule=what))
        if gone
        else PlanLine("remove", say("Stop allowing %(rule)s", rule=what))
    )
    return Plan(
        connector="firewall",
        action="remove",
        target=target,
        lines=(
            first,
            *(PlanLine("note", text) for text in [_still(rule, snapshot, now)] if text),
            *_mechanics(rule, snapshot, adds=False, done=gone),
        ),
        document={"reference": order.reference, "rule": rule.to_document()},
        inverse={"allow": rule.to_document()},
        already_true=gone,
    )


def already(rule: Rule, snapshot: Snapshot, now: datetime) -> AlreadyAllowed:
    """What other rules let pass now."""
    return already_allowed(rule, snapshot.policy.open_rules(now))


def in_force(rule: Rule, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the policy holds exactly this rule and the rendered nftables file exactly its openings."""
    if not rule.reference or snapshot.policy.rules.get(rule.reference) != rule or rule.ended(now):
        return False
    rendered = read_nftables(snapshot.nftables).openings.get(rule.reference)
    return rendered == openings_of(rule, snapshot.policy.zones)


def prepare(rule: Rule, snapshot: Snapshot, now: datetime, *, adds: bool) -> changes.Prepared | None:
    """The files that differ once the rule is there (or gone), on top of the policy as read; None when it is so.

    Raises ChangeError when the rule no longer fits the policy, or the rendering would not say what the rules say.
    """
    policy = snapshot.policy
    rules = dict(policy.rules)
    if adds:
        if in_force(rule, snapshot, now):
            return None
        _must_fit(rule, snapshot, now)
        rules[rule.reference] = rule
    elif rules.pop(rule.reference, None) is None:
        return None
    kept = [other for other in (*policy.baseline.values(), *rules.values()) if not other.ended(now)]
    rendered = render(policy.zones, kept)
    wrong = differences(rendered[NFTABLES_PATH].decode(), kept, policy.zones)
    if wrong:
        raise changes.ChangeError(
            say(
                "The rendered policy does not say what the rules say: %(wrong)s",
                wrong="; ".join(wrong)[:500],
            )
        )
    before = read_nftables(snapshot.nftables).openings
    ended = tuple(
        other.reference for other in rules.values() if other.ended(now) and other.reference in before
    )
    return changes.Prepared({rule_path(rule.reference): rule_file(rule) if adds else None, **rendered}, ended)


def _must_fit(rule: Rule, snapshot: Snapshot, now: datetime) -> None:
    if rule.ended(now):
        raise changes.ChangeError(say("The rule's time is over, so it is not brought into force."))
    present = snapshot.policy.rules.get(rule.reference)
    if present is not None and present != rule:
        raise changes.ChangeError(_says_something_else(rule))
    for problem in check_rule(rule, snapshot.policy.zones):
        if problem.severity == "stop":
            raise changes.ChangeError(problem.message)


def _mechanics(rule: Rule, snapshot: Snapshot, *, adds: bool, done: bool) -> list[PlanLine]:
    if done:
        return []
    change: Any = "add" if adds else "remove"
    path = (
        rule_path(rule.reference)
        if rule.reference
        else say("%(folder)s (a file named by the reference)", folder="policy/rules/")
    )
    return [
        *(
            PlanLine(change, f"nftables: {line}", technical=True)
            for line in nftables_chains(snapshot.policy.zones, rule)
        ),
        PlanLine(change, path, technical=True),
        *(PlanLine("change", name, technical=True) for name in RENDERED),
    ]


def _still(rule: Rule, snapshot: Snapshot, now: datetime) -> str:
    allowed = already(rule, snapshot, now)
    if allowed.answer == "no":
        return ""
    by = wording.named(allowed, snapshot.policy)
    if allowed.answer == "yes":
        return say("All of this stays allowed by %(rules)s", rules=by)
    return say("Part of this stays allowed by %(rules)s", rules=by)


def _says_something_else(rule: Rule) -> str:
    return say(
        "%(reference)s has a rule in the policy already, and it says something else.",
        reference=rule.reference,
    )


def _known(order: Order, names: set[str]) -> None:
    if order.reference and not REFERENCE.fullmatch(order.reference):
        raise ConnectorError(say("The order carries no request's reference."), permanent=True)
    unknown = sorted(set(order.parameters) - names)
    if unknown:
        message = say(
            "The firewall does not know %(unknown)s; it takes %(known)s.",
            unknown=", ".join(unknown),
            known=", ".join(sorted(names)),
        )
        raise ConnectorError(message, permanent=True)
