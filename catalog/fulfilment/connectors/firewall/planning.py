"""What a request would change, read from the policy as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from catalog.fulfilment.connectors.firewall import changes, wording
from catalog.fulfilment.connectors.firewall.checks import Problem, RuleError, check_rule, rule_from_answers
from catalog.fulfilment.connectors.firewall.coverage import AlreadyAllowed, already_allowed, hidden_by
from catalog.fulfilment.connectors.firewall.outputs import OUTPUTS, paths, render_all
from catalog.fulfilment.connectors.firewall.place import Place, Snapshot
from catalog.fulfilment.connectors.firewall.policy import load_rule, rule_file, rule_path
from catalog.fulfilment.connectors.firewall.render import NFTABLES_PATH, nftables_chains
from catalog.fulfilment.connectors.firewall.rendered import Rendering, differences, openings_of
from catalog.fulfilment.connectors.firewall.rules import REFERENCE, Rule
from portal.core.language import say

_ALLOW = {"source_zone", "destination_zone", "source", "destination", "protocol", "ports", "allow_wide"}


def plan_allow(order: Order, snapshot: Snapshot, target: str, now: datetime, place: Place) -> Plan:
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
    hidden = "" if already_true else wording.hiding(hidden_by(rule, policy.open_rules(now)), policy)
    return Plan(
        connector="firewall",
        action="allow",
        target=target,
        lines=(
            PlanLine("keep" if already_true else "add", say("Allow %(rule)s", rule=wording.sentence(rule))),
            PlanLine("note", wording.extent(rule)),
            *(PlanLine("note", text) for text in [wording.overlap(allowed, policy), hidden] if text),
            *_mechanics(rule, snapshot, place, adds=True, done=already_true),
        ),
        document={"reference": rule.reference, "rule": rule.to_document()},
        inverse={"remove": rule.reference},
        already_true=already_true,
        warnings=(*warnings, *by_hand(snapshot)),
    )


def plan_remove(order: Order, snapshot: Snapshot, target: str, now: datetime, place: Place) -> Plan:
    """Raises a permanent ConnectorError when no request ever brought that rule."""
    _known(order, {"rule"})
    reference = str(order.parameters.get("rule") or "")
    if not REFERENCE.fullmatch(reference):
        message = say("Name the rule to remove by its request's reference, like SR-000123.")
        raise ConnectorError(message, permanent=True)
    rule = snapshot.policy.rules.get(reference)
    gone = rule is None and not _still_loaded(reference, snapshot)
    if rule is None:
        # Planning again after the removal must say the same, so that the seal still fits.
        text = changes.last_text(place.repository, snapshot.commit, rule_path(reference))
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
            *_mechanics(rule, snapshot, place, adds=False, done=gone),
        ),
        document={"reference": order.reference, "rule": rule.to_document()},
        inverse={"allow": rule.to_document()},
        already_true=gone,
        warnings=by_hand(snapshot),
    )


def already(rule: Rule, snapshot: Snapshot, now: datetime) -> AlreadyAllowed:
    """What other rules let pass now."""
    return already_allowed(rule, snapshot.policy.open_rules(now))


def in_force(rule: Rule, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the policy holds exactly this rule, and the rendered nftables file exactly its openings.

    Where the kernel was asked, it has to let pass exactly those too.
    """
    if not rule.reference or snapshot.policy.rules.get(rule.reference) != rule or rule.ended(now):
        return False
    wanted = openings_of(rule, snapshot.policy.zones)
    return all(found.openings.get(rule.reference) == wanted for found in _renderings(snapshot))


def gone(rule: Rule, snapshot: Snapshot) -> bool:
    """Whether neither the policy nor what was rendered or loaded from it lets the rule's traffic pass by its name."""
    return rule.reference not in snapshot.policy.rules and not any(
        rule.reference in found.openings for found in _renderings(snapshot)
    )


def by_hand(snapshot: Snapshot) -> tuple[str, ...]:
    """What goes with the next change, since no rule says it: a warning, or nothing."""
    known = set(snapshot.policy.baseline) | set(snapshot.policy.rules)
    foreign = dict.fromkeys(
        text[:100]
        for found in _renderings(snapshot)
        for text in (*sorted(set(found.openings) - known), *found.foreign)
    )
    if not foreign:
        return ()
    return (
        say(
            "The firewall has entries that no rule says, put there by hand; this change takes them out: %(entries)s.",
            entries="; ".join(list(foreign)[:5]),
        ),
    )


def _renderings(snapshot: Snapshot) -> tuple[Rendering, ...]:
    return (snapshot.rendering,) if snapshot.loaded is None else (snapshot.rendering, snapshot.loaded)


def _still_loaded(reference: str, snapshot: Snapshot) -> bool:
    return any(reference in found.openings for found in _renderings(snapshot))


def prepare(
    rule: Rule, snapshot: Snapshot, now: datetime, outputs: Sequence[str], *, adds: bool
) -> changes.Prepared | None:
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
    elif gone(rule, snapshot):
        return None
    else:
        rules.pop(rule.reference, None)
    kept = [other for other in (*policy.baseline.values(), *rules.values()) if not other.ended(now)]
    rendered = render_all(policy.zones, kept, outputs)
    wrong = differences(rendered[NFTABLES_PATH].decode(), kept, policy.zones)
    if wrong:
        raise changes.ChangeError(
            say(
                "The rendered policy does not say what the rules say: %(wrong)s",
                wrong="; ".join(wrong)[:500],
            )
        )
    before = snapshot.rendering.openings
    # An output that is no longer chosen would go on saying what was true once.
    left = {output.path: None for output in OUTPUTS.values() if output.path in snapshot.files}
    ended = tuple(
        other.reference for other in rules.values() if other.ended(now) and other.reference in before
    )
    own: dict[str, bytes | None] = {}
    if adds:
        own[rule_path(rule.reference)] = rule_file(rule)
    elif rule.reference in policy.rules:
        own[rule_path(rule.reference)] = None
    return changes.Prepared({**own, **left, **rendered}, ended)


def _must_fit(rule: Rule, snapshot: Snapshot, now: datetime) -> None:
    if rule.ended(now):
        raise changes.ChangeError(say("The rule's time is over, so it is not brought into force."))
    present = snapshot.policy.rules.get(rule.reference)
    if present is not None and present != rule:
        raise changes.ChangeError(_says_something_else(rule))
    for problem in check_rule(rule, snapshot.policy.zones):
        if problem.severity == "stop":
            raise changes.ChangeError(problem.message)


def _mechanics(rule: Rule, snapshot: Snapshot, place: Place, *, adds: bool, done: bool) -> list[PlanLine]:
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
        *(PlanLine("change", name, technical=True) for name in paths(place.outputs)),
        *([PlanLine("change", f"nft -f {NFTABLES_PATH}", technical=True)] if place.kernel else []),
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
