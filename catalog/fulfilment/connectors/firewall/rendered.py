"""Reading the rendered nftables file back: what it lets pass, in the rules' own terms.

The reader knows only the statements that a rule can become. Whatever else accepts traffic is reported, so a
rendering that lets more pass than the rules say is refused before it is kept, and a line that somebody added
by hand is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.fulfilment.connectors.firewall.coverage import Spans
from catalog.fulfilment.connectors.firewall.rules import PREVIEW, Rule, Zone
from portal.core.network_sets import spans_of
from portal.core.networks import parse_network
from portal.core.ports import parse_ports

_CHAIN = re.compile(r"    chain (?P<name>[A-Za-z0-9-]+) \{")
_ACCEPT = re.compile(
    r'iifname "(?P<input>[^"]+)" oifname "(?P<output>[^"]+)" '
    r"(?P<family>ip6?) saddr (?P<sources>\{[^{}]*\}|\S+) (?P=family) daddr (?P<destinations>\{[^{}]*\}|\S+) "
    r"(?:(?P<protocol>tcp|udp) dport (?P<ports>\{[^{}]*\}|\S+)"
    r"|ip protocol (?P<icmp>icmp)|meta l4proto (?P<icmp6>icmpv6)) "
    r"ct state new accept"
)
_HARMLESS = re.compile(
    r"drop|\}|comment \"(SR-[0-9A-Z]+|baseline-[a-z0-9-]+)\"|jump [A-Za-z0-9-]+|ct state established,related accept"
    r"|type filter hook forward priority 0; policy drop;"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What one statement lets pass: between two interfaces, in one address family."""

    interfaces: tuple[str, str]
    version: int
    sources: Spans
    destinations: Spans
    protocol: str
    ports: Spans


@dataclass(frozen=True, slots=True)
class Rendering:
    """The openings of an nftables file by reference, and its lines that no rule becomes."""

    openings: Mapping[str, frozenset[Opening]]
    foreign: tuple[str, ...]


def read_nftables(text: str) -> Rendering:
    """What the tables of the file let pass; never raises, what it does not know is foreign."""
    openings: dict[str, set[Opening]] = {}
    foreign: list[str] = []
    reference, jumps = "", set[str]()
    bodies: dict[str, str] = {}
    for line in text.splitlines():
        statement = line.strip()
        chain = _CHAIN.fullmatch(line)
        if chain is not None:
            reference = re.sub(r"-v[46]$", "", chain["name"])
            bodies[chain["name"]] = reference
            continue
        if (
            not statement
            or statement.startswith(("table ", "delete table "))
            or _HARMLESS.fullmatch(statement)
        ):
            if statement.startswith("jump "):
                jumps.add(statement.removeprefix("jump "))
            continue
        opening = _opening(statement)
        if opening is None:
            foreign.append(statement)
        else:
            openings.setdefault(reference, set()).add(opening)
    for name, owner in bodies.items():
        # A chain that nothing jumps to lets nothing pass, so its rule is not in force.
        if name not in jumps and owner in openings:
            version = 6 if name.endswith("-v6") else 4
            openings[owner] = {opening for opening in openings[owner] if opening.version != version}
    return Rendering({name: frozenset(found) for name, found in openings.items() if found}, tuple(foreign))


def openings_of(rule: Rule, zones: Mapping[str, Zone]) -> frozenset[Opening]:
    """What the rule's statements must let pass, no more and no less."""
    return frozenset(
        Opening(
            (zones[rule.source_zone].interface, zones[rule.destination_zone].interface),
            version,
            spans_of(rule.sources, version),
            spans_of(rule.destinations, version),
            rule.protocol,
            rule.ports,
        )
        for version in rule.versions()
    )


def differences(text: str, rules: Iterable[Rule], zones: Mapping[str, Zone]) -> list[str]:
    """What the file lets pass beyond the rules, or not although they say so; empty when both agree."""
    rendering = read_nftables(text)
    wanted = {rule.reference or PREVIEW: openings_of(rule, zones) for rule in rules}
    names = sorted(set(wanted) | set(rendering.openings))
    wrong = [name for name in names if wanted.get(name) != rendering.openings.get(name)]
    return [*(f"{name} is not rendered as it stands" for name in wrong), *rendering.foreign]


def _opening(statement: str) -> Opening | None:
    found = _ACCEPT.fullmatch(statement)
    if found is None:
        return None
    version = 6 if found["family"] == "ip6" else 4
    try:
        return Opening(
            (found["input"], found["output"]),
            version,
            spans_of([parse_network(text) for text in _items(found["sources"])], version),
            spans_of([parse_network(text) for text in _items(found["destinations"])], version),
            found["protocol"] or "icmp",
            parse_ports(",".join(_items(found["ports"]))) if found["ports"] else (),
        )
    except ValueError:
        return None


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.strip("{} ").split(",")]
