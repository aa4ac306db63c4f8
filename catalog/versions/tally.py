"""Counting what a replay sees, request by request, without keeping the requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from catalog.versions.outcome import Outcome
from catalog.versions.past import Past
from catalog.versions.report import Approvals, Bar, Broken, Moved, Promise, Refused, Unknown
from catalog.versions.routes import Lack, Shortfall, WorkedOut

T = TypeVar("T")
#: References named for each finding; the count says how many there are.
EXAMPLES = 20
#: Findings of one kind that are kept, the most frequent first.
MOST_KINDS = 100
NO_STAGE = "approved by the published policy"
WHY: dict[Lack, str] = {
    "nobody": "nobody could be asked",
    "too-few": "fewer people could be asked than must agree",
    "twice": "one person would have to decide twice",
}
HOUR = 60
DAY = 8 * HOUR
#: Upper bounds, in working minutes, of the steps in which the movement of the promise is shown.
_STEPS = (
    (-5 * DAY, "more than 5 working days earlier"),
    (-DAY, "1 to 5 working days earlier"),
    (-1, "less than 1 working day earlier"),
    (0, "no change"),
    (DAY, "up to 1 working day later"),
    (5 * DAY, "1 to 5 working days later"),
)
_BEYOND = "more than 5 working days later"


@dataclass(slots=True)
class _Found:
    """How often something was found, how often it was so already, and where first."""

    says: str = ""
    count: int = 0
    already: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, reference: str, *, already: bool = False) -> None:
        self.count += 1
        self.already += already
        if len(self.examples) < EXAMPLES:
            self.examples.append(reference)


@dataclass(slots=True)
class Tally:
    """Grows with every request; `minutes` gives the working minutes by which a promise moves."""

    requests: int = 0
    refused: int = 0
    refused_already: int = 0
    compared: int = 0
    routes_changed: int = 0
    rules: dict[str, _Found] = field(default_factory=dict)
    risks: dict[tuple[str, str], _Found] = field(default_factory=dict)
    kinds: dict[tuple[str, str], _Found] = field(default_factory=dict)
    routes: dict[tuple[str, str], _Found] = field(default_factory=dict)
    broken: dict[tuple[str, Lack], _Found] = field(default_factory=dict)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    moves: list[int] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, past: Past, before: Outcome, after: Outcome, minutes: Callable[[], int]) -> None:
        """Count one request; `minutes` is only called where both outcomes have a promised date."""
        self.requests += 1
        for label in after.unanswered:
            self.unknown[
                f"the new required question “{label}” was not asked then; it counts as not answered"
            ] += 1
        if after.refusals:
            self._add_refused(past, before, after)
            return
        if isinstance(after.route, Shortfall):
            found = self.broken.setdefault((after.route.name, after.route.lack), _Found())
            found.add(past.reference, already=before.route == after.route)
        if before.refusals:
            self.unknown[
                "the version in force would refuse it today, so there is nothing to compare with"
            ] += 1
            return
        self.compared += 1
        if before.risk != after.risk:
            self._moved(self.risks, before.risk, after.risk, past)
        if before.kind != after.kind:
            self._moved(self.kinds, before.kind, after.kind, past)
        if isinstance(before.route, WorkedOut) and isinstance(after.route, WorkedOut):
            self._add_routes(past, before.route, after.route)
            self.moves.append(minutes())

    def _add_refused(self, past: Past, before: Outcome, after: Outcome) -> None:
        self.refused += 1
        self.refused_already += bool(before.refusals)
        then = {refusal.says for refusal in before.refusals}
        for where, says in {refusal.where: refusal.says for refusal in after.refusals}.items():
            found = self.rules.setdefault(where, _Found(says))
            found.add(past.reference, already=says in then)

    def _add_routes(self, past: Past, before: WorkedOut, after: WorkedOut) -> None:
        for counter, route in ((self.before, before), (self.after, after)):
            for stage in route.stages:
                counter[" or ".join(stage.rules)] += stage.quorum
        if before.stages != after.stages:
            self.routes_changed += 1
            self._moved(self.routes, _spoken(before), _spoken(after), past)

    def _moved(self, found: dict[tuple[str, str], _Found], before: str, after: str, past: Past) -> None:
        found.setdefault((before, after), _Found()).add(past.reference)

    def rules_found(self) -> tuple[Refused, ...]:
        """By rule, the most frequent first."""
        return tuple(
            Refused(where, found.says, found.count, found.already, tuple(found.examples))
            for where, found in _by_count(self.rules)
        )

    def broken_found(self) -> tuple[Broken, ...]:
        """By stage, the most frequent first."""
        return tuple(
            Broken(stage, WHY[lack], found.count, found.already, tuple(found.examples))
            for (stage, lack), found in _by_count(self.broken)
        )

    def approvals_found(self, who: Callable[[str], str]) -> tuple[Approvals, ...]:
        """By rule of a route, the greatest change first."""
        rules = sorted({*self.before, *self.after})
        found = [Approvals(rule, who(rule), self.before[rule], self.after[rule]) for rule in rules]
        return tuple(sorted(found, key=lambda one: -abs(one.after - one.before))[:MOST_KINDS])

    def promise_found(self) -> Promise:
        """How the promised dates move."""
        moves = sorted(self.moves)
        bars = Counter(next((label for bound, label in _STEPS if m <= bound), _BEYOND) for m in moves)
        labels = (*(label for _, label in _STEPS), _BEYOND)
        return Promise(
            compared=len(moves),
            earlier=sum(move < 0 for move in moves),
            same=sum(move == 0 for move in moves),
            later=sum(move > 0 for move in moves),
            least=moves[0] if moves else 0,
            median=_percentile(moves, 50),
            most_by_90=_percentile(moves, 90),
            most=moves[-1] if moves else 0,
            bars=tuple(Bar(label, bars[label]) for label in labels if bars[label]),
        )

    def unknown_found(self) -> tuple[Unknown, ...]:
        """What could not be worked out again."""
        return tuple(Unknown(what, count) for what, count in self.unknown.most_common())


def moved_found(found: dict[tuple[str, str], _Found]) -> tuple[Moved, ...]:
    """By what moved, the most frequent first."""
    return tuple(
        Moved(before, after, one.count, tuple(one.examples)) for (before, after), one in _by_count(found)
    )


def _by_count(found: dict[T, _Found]) -> Iterable[tuple[T, _Found]]:
    ordered: list[tuple[Any, _Found]] = sorted(found.items(), key=lambda item: (-item[1].count, str(item[0])))
    return ordered[:MOST_KINDS]


def _spoken(route: WorkedOut) -> str:
    stages = (
        stage.name if stage.quorum == 1 else f"{stage.name} ({stage.quorum} agree)" for stage in route.stages
    )
    return ", then ".join(stages) or NO_STAGE


def _percentile(ordered: list[int], percent: int) -> int:
    """The nearest-rank percentile (the smallest value that so many percent do not exceed); 0 of nothing."""
    if not ordered:
        return 0
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
