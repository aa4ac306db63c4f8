"""How wide a firewall rule may be, by itself and together with what is open already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from catalog.fulfilment.connectors.firewall.coverage import already_allowed, regions
from catalog.fulfilment.connectors.firewall.problems import Problem
from catalog.fulfilment.connectors.firewall.rules import Rule, Zone
from portal.core import times
from portal.core.language import N_, every_language, say
from portal.core.network_sets import address_count, covers, networks_of
from portal.core.networks import IPV4, collapse
from portal.core.spans import intersect, merge, size, subtract

#: One /16 of IPv4 or one /32 of IPv6, and so many ports; more needs one approver more, where the offering allows it.
MOST_ADDRESSES = {4: 2**16, 6: 2**96}
MOST_PORTS = 1_024
_WIDEST = {4: "/16", 6: "/32"}
_TOO_WIDE = {
    "source": N_("The source is wider than a %(widest)s%(also)s. Name smaller networks."),
    "destination": N_("The destination is wider than a %(widest)s%(also)s. Name smaller networks."),
}
Side = Literal["sources", "destinations", "ports"]
_SIDES: tuple[Side, ...] = ("sources", "destinations", "ports")


def check_width(rule: Rule, zones: Mapping[str, Zone], others: Sequence[Rule]) -> list[Problem]:
    """Where the rule is too wide, alone or together with what `others` let pass the same way already."""
    problems = _alone(rule, zones)
    if problems or already_allowed(rule, others).answer == "yes":
        return problems
    return _together(rule, zones, others)


def _alone(rule: Rule, zones: Mapping[str, Zone], by: Sequence[str] = ()) -> list[Problem]:
    """The rule's width; `by` are other rules that were counted together with it."""
    problems = []
    also = say(", counted together with %(rules)s", rules=", ".join(by)) if by else ""
    for version in rule.versions():
        sources = [network for network in rule.sources if network.version == version]
        destinations = [network for network in rule.destinations if network.version == version]
        everything = 2 ** (32 if version == IPV4 else 128)
        if address_count(sources) == everything == address_count(destinations):
            message = say(
                "This opens everything to everything%(also)s. Name the source or the destination.", also=also
            )
            problems.append(Problem("source", message))
            continue
        for field, networks in (("source", sources), ("destination", destinations)):
            # A destination on the internet is commonly everything; what leaves is judged by its source.
            if field == "destination" and zones[rule.destination_zone].is_everything_else:
                continue
            if address_count(networks) > MOST_ADDRESSES[version]:
                message = say(_TOO_WIDE[field], widest=_WIDEST[version], also=also)
                problems.append(Problem(field, message, "wide"))
    if size(rule.ports) > MOST_PORTS:
        message = say(
            "These are %(count)s ports%(also)s; at most %(most)s may be open. Name fewer.",
            count=every_language(lambda: times.number(size(rule.ports))),
            most=every_language(lambda: times.number(MOST_PORTS)),
            also=also,
        )
        problems.append(Problem("ports", message, "wide"))
    return problems


def _together(rule: Rule, zones: Mapping[str, Zone], others: Sequence[Rule]) -> list[Problem]:
    """Each side grown by what is open already for the same other two sides, and judged again."""
    problems: dict[str, Problem] = {}
    for side in _SIDES:
        grown, by = _grown(rule, others, side)
        if by:
            for problem in _alone(grown, zones, by):
                problems.setdefault(problem.field, problem)
    return list(problems.values())


def _grown(rule: Rule, others: Sequence[Rule], side: Side) -> tuple[Rule, tuple[str, ...]]:
    """The rule with one side grown, and by which rules; unchanged where the rule adds nothing to that side."""
    met = [
        (other.reference, theirs)
        for mine in regions(rule)
        for other in others
        for theirs in regions(other)
        if mine.version == theirs.version
        and all(intersect(getattr(mine, name), getattr(theirs, name)) for name in _SIDES if name != side)
    ]
    by = tuple(dict.fromkeys(reference for reference, _ in met))
    if side == "ports":
        open_ports = merge(span for _, theirs in met for span in theirs.ports)
        grows = bool(subtract(rule.ports, open_ports))
        grown = replace(rule, ports=merge((*rule.ports, *open_ports)))
    else:
        own = getattr(rule, side)
        open_networks = [
            network for _, theirs in met for network in networks_of(getattr(theirs, side), theirs.version)
        ]
        grows = not covers(open_networks, own)
        together = collapse((*own, *open_networks))
        sources = side == "sources"
        grown = replace(rule, sources=together) if sources else replace(rule, destinations=together)
    return (grown, by) if grows else (rule, ())
