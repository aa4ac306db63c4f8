"""The firewall as a connector: plan, apply, read back, revert, and say what is live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    Choice,
    ConnectorError,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.firewall import changes, live, nft, planning, wording, worktree
from catalog.fulfilment.connectors.firewall.changes import Change, Operation, Step
from catalog.fulfilment.connectors.firewall.checks import Problem, RuleError, check_answers, rule_from_answers
from catalog.fulfilment.connectors.firewall.coverage import AlreadyAllowed, already_allowed
from catalog.fulfilment.connectors.firewall.kernel import Kernel, KernelAway
from catalog.fulfilment.connectors.firewall.outputs import DEFAULT, chosen
from catalog.fulfilment.connectors.firewall.place import Place, Snapshot, read, read_now
from catalog.fulfilment.connectors.firewall.policy import PolicyError, rule_path
from catalog.fulfilment.connectors.firewall.remote import Remote
from catalog.fulfilment.connectors.firewall.rules import REFERENCE, Rule, Zone, read_rule
from portal.core import git_branch as git
from portal.core.clock import Clock, system_clock
from portal.core.language import every_language, say, spoken


def _no_step(_step: str) -> None:
    """Nobody watches."""


class FirewallConnector:
    """One firewall's policy in a git repository on this machine. `name` tells several firewalls apart.

    `patience` is how many seconds a change waits for another; `tools` is where nft is looked for. With a `remote` a
    change is done once the remote has its commit, with a `kernel` once the kernel holds its rules too. Forms read the
    policy as it was last fetched; plans, changes and what is live read it where it is.
    """

    kind = "firewall"
    #: A rule says itself until when it holds.
    keeps_time = True

    def __init__(
        self,
        repository: Path,
        *,
        name: str = "edge",
        clock: Clock = system_clock,
        on_step: Step = _no_step,
        tools: str = nft.TOOLS,
        patience: float = worktree.WAIT,
        remote: Remote | None = None,
        kernel: Kernel | None = None,
        outputs: Iterable[str] = DEFAULT,
    ) -> None:
        self.repository = repository
        self.place = Place(repository, remote, kernel, chosen(outputs))
        self.target = f"the {name} firewall"
        self._clock = clock
        self._on_step = on_step
        self._tools = tools
        self._patience = patience

    def choices(self, name: str) -> Sequence[Choice]:
        """`zones`, or the `rules` that requests brought and that can be removed."""
        policy = self._read().policy
        if name == "zones":
            return [
                Choice(zone.name, zone.label, ", ".join(str(network) for network in zone.networks))
                for zone in policy.zones.values()
            ]
        if name == "rules":
            return [
                Choice(rule.reference, rule.reference, wording.sentence(rule))
                for rule in policy.rules.values()
            ]
        raise ConnectorError(say("The firewall has no list called %(name)s.", name=name), permanent=True)

    def zones(self) -> Mapping[str, Zone]:
        """The zones by name, for `checks.check_answers`."""
        return self._read().policy.zones

    def check(self, answers: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a rule as it was typed, judged together with what is open now."""
        return self.checker()(answers)

    def checker(self) -> Callable[[Mapping[str, Any]], list[Problem]]:
        """As `check`, for many rules by one reading of the policy."""
        policy, at = self._read().policy, self._clock()
        open_rules = tuple(policy.open_rules(at))
        return lambda answers: check_answers(answers, policy.zones, open_rules)

    def already_allowed(self, rule: Rule) -> AlreadyAllowed:
        """Whether other rules let the traffic pass already, and which."""
        return planning.already(rule, self._read(), self._clock())

    def needless(self, order: Order) -> str:
        """By which rules all that is ordered is allowed already, and for as long, in a sentence; else empty."""
        if order.action != "allow":
            return ""
        with _in_our_words():
            policy, at = self._read().policy, self._clock()
            rule = rule_from_answers(order.parameters, reference=order.reference, ends_at=order.ends_at)
            lasting = [
                other
                for other in policy.open_rules(at)
                if other.ends_at is None or (rule.ends_at is not None and other.ends_at >= rule.ends_at)
            ]
            allowed = already_allowed(rule, lasting)
            if allowed.answer != "yes":
                return ""
            return wording.with_full_stop(wording.overlap(allowed, policy))

    def plan(self, order: Order) -> Plan:
        """What would change. Raises a permanent ConnectorError for a rule that must not be."""
        with _in_our_words():
            if order.action == "allow":
                return planning.plan_allow(order, self._read_now(), self.target, self._clock(), self.place)
            if order.action == "remove":
                return planning.plan_remove(order, self._read_now(), self.target, self._clock(), self.place)
        message = say("The firewall cannot %(action)s.", action=order.action)
        raise ConnectorError(message, permanent=True)

    def load(self) -> None:
        """Make the running firewall what the policy says, as after a restart. Raises ConnectorError."""
        with _in_our_words():
            if self.place.kernel is None:
                message = say(
                    "This portal does not load the firewall's rules; whoever runs the firewall does."
                )
                raise ConnectorError(message, permanent=True)
            with worktree.exclusive(self.repository, self._patience):
                changes.load(self.place, self._read_now())

    def entitlement_key(self, plan: Plan) -> str:
        """`firewall:<reference>`; empty for a removal, which brings nothing to life."""
        return f"firewall:{_rule(plan).reference}" if plan.action == "allow" else ""

    def removes(self, plan: Plan) -> str:
        """`firewall:<reference>` of the rule that a removal takes out; empty for an opening."""
        return f"firewall:{_rule(plan).reference}" if plan.action == "remove" else ""

    def apply(self, plan: Plan, key: str) -> Outcome:
        """One commit with the rule, its rendered files and the request's reference."""
        return self._change(plan, key, "apply")

    def revert(self, plan: Plan, key: str) -> Outcome:
        """One commit that takes the rule away, or puts a removed one back."""
        return self._change(plan, key, "revert")

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the policy and the rendered nftables file both say what the plan says."""
        with _in_our_words():
            rule = _rule(plan)
            snapshot = self._read_now()
            present = snapshot.shared and planning.in_force(rule, snapshot, self._clock())
            commit = changes.find_by_key(self.repository, snapshot.commit, key, "apply")
            commit = commit or changes.last_touching(
                self.repository, snapshot.commit, rule_path(rule.reference)
            )
            facts = self._facts(rule, commit) | {"head": snapshot.commit}
            if plan.action == "remove":
                gone = snapshot.shared and planning.gone(rule, snapshot)
                text = say("The rule is gone") if gone else say("The rule is still there")
                return ReadBack(gone, facts, (PlanLine("note", text),), self._artefacts(commit))
            what = wording.sentence(rule)
            text = (
                say("In force: %(rule)s", rule=what) if present else say("Not in force: %(rule)s", rule=what)
            )
            return ReadBack(present, facts, (PlanLine("note", text),), self._artefacts(commit))

    def live(self) -> Iterable[Live]:
        """Every rule of the policy, and whatever the rendered file or the kernel lets pass without one."""
        with _in_our_words():
            return live.everything(self._read_now())

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The rule as it was sealed, to the letter, and that it alone passes under its name."""
        return {**plan.document["rule"], **live.AS_IT_STANDS}

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Take the rule out of the policy; the base of the policy, and what was rendered without a rule, by hand."""
        rule = str(live.facts.get("reference", ""))
        if not REFERENCE.fullmatch(rule):
            return None
        return Order(reference, "remove", {"rule": rule}, Beneficiary("", "", ""))

    def _change(self, plan: Plan, key: str, operation: Operation) -> Outcome:
        with _in_our_words():
            if plan.connector != self.kind or plan.target != self.target:
                raise ConnectorError(say("This plan is for another target."), permanent=True)
            rule = _rule(plan)
            adds = (plan.action == "allow") == (operation == "apply")
            done = changes.change(
                self.place,
                Change(
                    reference=str(plan.document["reference"]),
                    subject=f"{'allow' if adds else 'remove'} {wording.subject(rule)}",
                    operation=operation,
                    effect=plan.effect,
                    prepare=partial(self._prepare, rule, adds=adds),
                    undo=partial(self._prepare, rule, adds=not adds),
                ),
                key,
                on_step=self._on_step,
                tools=self._tools,
                patience=self._patience,
            )
            commit = done.commit
            if commit is None:
                head = git.head(self.repository)
                commit = changes.last_touching(self.repository, head, rule_path(rule.reference))
            lines = [PlanLine("add" if adds else "remove", wording.sentence(rule))]
            if done.verdict is not None:
                words = done.verdict.words
                lines.append(
                    PlanLine("note", f"nft -c: {done.verdict.answer}{f' ({words})' if words else ''}")
                )
            if not done.ended:
                text = say("Connections that are open already go on until they end: conntrack did not answer")
                lines.append(PlanLine("note", text))
            return Outcome(self._facts(rule, commit), tuple(lines), self._artefacts(commit))

    def _prepare(self, rule: Rule, snapshot: Snapshot, *, adds: bool) -> changes.Prepared | None:
        return planning.prepare(rule, snapshot, self._clock(), self.place.outputs, adds=adds)

    def _facts(self, rule: Rule, commit: str | None) -> dict[str, Any]:
        told = {"commit": "", "committed_at": "", "files": []}
        return {"rule": rule.reference} | (
            told if commit is None else changes.facts_of(self.repository, commit)
        )

    def _artefacts(self, commit: str | None) -> dict[str, bytes]:
        return {} if commit is None else {"change.diff": changes.diff_of(self.repository, commit)}

    def _read(self) -> Snapshot:
        with _in_our_words():
            return read(self.place)

    def _read_now(self) -> Snapshot:
        with _in_our_words():
            return read_now(self.place)


def _rule(plan: Plan) -> Rule:
    try:
        rule = read_rule(plan.document["rule"])
        rule_path(rule.reference)
        rule_path(str(plan.document["reference"]))
    except (KeyError, ValueError) as error:
        raise ConnectorError(say("The plan names no rule of a request."), permanent=True) from error
    return rule


def _ending(text: str) -> str:
    """The text, or texts, as one sentence that ends with one full stop."""
    return every_language(lambda: str(spoken(text)).rstrip(".") + ".")


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Whatever goes wrong below is a ConnectorError that says whether trying again can help."""
    try:
        yield
    except RuleError as error:
        raise ConnectorError(_ending(error.message), permanent=True) from error
    except PolicyError as error:
        raise ConnectorError(_ending(error.message), permanent=True) from error
    except changes.ChangeError as error:
        raise ConnectorError(_ending(error.message), permanent=True) from error
    except KernelAway as error:
        message = say("The running firewall did not answer: %(words)s", words=_ending(str(error)))
        raise ConnectorError(message) from error
    except git.GitError as error:
        message = say("The firewall policy's repository did not answer: %(words)s", words=_ending(str(error)))
        raise ConnectorError(message) from error
    except (worktree.BusyError, changes.ContendedError) as error:
        message = say("Other changes of the firewall policy are under way; this one has to wait.")
        raise ConnectorError(message) from error
