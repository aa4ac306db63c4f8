"""Which part of a rule is open already: exact sets over sources, destinations and ports.

An opening is a product of three sets, and what is left of one product after taking another away is at most
three products. A partial overlap therefore never counts as allowed, and several rules may cover one together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from catalog.fulfilment.connectors.firewall.rules import Rule
from portal.core.network_sets import spans_of
from portal.core.spans import Span, intersect, size, subtract

Spans = tuple[Span, ...]
_NO_PORTS: Spans = ((0, 0),)


@dataclass(frozen=True, slots=True)
class Region:
    """Every source with every destination on every port, in one address family."""

    version: int
    sources: Spans
    destinations: Spans
    ports: Spans

    def size(self) -> int:
        """How many combinations these are."""
        return size(self.sources) * size(self.destinations) * size(self.ports)

    def meets(self, other: Region) -> bool:
        """Whether the two have a combination in common."""
        return (
            self.version == other.version
            and bool(intersect(self.sources, other.sources))
            and bool(intersect(self.destinations, other.destinations))
            and bool(intersect(self.ports, other.ports))
        )

    def without(self, other: Region) -> Iterator[Region]:
        """What is left of this region after the other is taken away, in parts that do not overlap."""
        if not self.meets(other):
            yield self
            return
        sources = intersect(self.sources, other.sources)
        destinations = intersect(self.destinations, other.destinations)
        for part in (
            Region(self.version, subtract(self.sources, other.sources), self.destinations, self.ports),
            Region(self.version, sources, subtract(self.destinations, other.destinations), self.ports),
            Region(self.version, sources, destinations, subtract(self.ports, other.ports)),
        ):
            if part.sources and part.destinations and part.ports:
                yield part


@dataclass(frozen=True, slots=True)
class AlreadyAllowed:
    """Whether a rule's traffic passes already, and by the rules with which references.

    `left` is what no other rule allows yet.
    """

    answer: Literal["yes", "partly", "no"]
    by: tuple[str, ...]
    left: tuple[Region, ...]


def regions(rule: Rule) -> tuple[Region, ...]:
    """What the rule opens, one region for each address family."""
    return tuple(
        Region(
            version,
            spans_of(rule.sources, version),
            spans_of(rule.destinations, version),
            rule.ports or _NO_PORTS,
        )
        for version in rule.versions()
    )


def same_way(rule: Rule, others: Iterable[Rule]) -> Iterator[Rule]:
    """The other rules between the same zones for the same protocol; a rule is not its own other."""
    for other in others:
        if (
            other.source_zone == rule.source_zone
            and other.destination_zone == rule.destination_zone
            and other.protocol == rule.protocol
            and (other.reference != rule.reference or not rule.reference)
        ):
            yield other


def already_allowed(rule: Rule, others: Iterable[Rule]) -> AlreadyAllowed:
    """Whether these rules let all, some or none of the rule's traffic pass already.

    One rule that allows everything is named alone; otherwise all that contribute are named.
    """
    candidates = list(same_way(rule, others))
    whole = list(regions(rule))
    for other in candidates:
        if not _minus(whole, other):
            return AlreadyAllowed("yes", (other.reference,), ())
    left, by = whole, []
    for other in candidates:
        rest = _minus(left, other)
        if rest != left:
            by.append(other.reference)
        left = rest
    if not by:
        return AlreadyAllowed("no", (), tuple(left))
    return AlreadyAllowed("partly" if left else "yes", tuple(by), tuple(left))


def hidden_by(rule: Rule, others: Iterable[Rule]) -> tuple[str, ...]:
    """The references of the rules that would have nothing left to allow once this rule is there.

    A rule that others hide already is not hidden by this one.
    """
    candidates = list(same_way(rule, others))
    hidden = []
    for other in candidates:
        if _meet(rule, other):
            rest = [each for each in candidates if each.reference != other.reference and _meet(each, other)]
            if (
                already_allowed(other, rest).answer != "yes"
                and already_allowed(other, [rule, *rest]).answer == "yes"
            ):
                hidden.append(other.reference)
    return tuple(hidden)


def _meet(rule: Rule, other: Rule) -> bool:
    return any(mine.meets(theirs) for mine in regions(rule) for theirs in regions(other))


def _minus(left: list[Region], rule: Rule) -> list[Region]:
    for taken in regions(rule):
        left = [rest for region in left for rest in region.without(taken)]
    return left
