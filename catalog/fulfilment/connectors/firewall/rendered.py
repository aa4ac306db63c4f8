"""Reading the rendered nftables file back: what it lets pass, in the rules' own terms.

The reader knows only the statements that a rule can become. Whatever else accepts traffic is reported, so a
rendering that lets more pass than the rules say is refused before it is kept, and a line that somebody added
by hand is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from catalog.fulfilment.connectors.firewall.coverage import Spans
from catalog.fulfilment.connectors.firewall.rules import PREVIEW, Rule, Zone
from portal.core.network_sets import spans_of
from portal.core.networks import parse_network
from portal.core.ports import parse_ports

_CHAIN = re.compile(r"    chain (?P<name>\S+) \{")
_LAST = "default-deny"
_ACCEPT = re.compile(
    r'iifname "(?P<input>[^"]+)" oifname "(?P<output>[^"]+)" '
    r"(?P<family>ip6?) saddr (?P<sources>\{[^{}]*\}|\S+) (?P=family) daddr (?P<destinations>\{[^{}]*\}|\S+) "
    r"(?:(?P<protocol>tcp|udp) dport (?P<ports>\{[^{}]*\}|\S+)"
    r"|ip protocol (?P<icmp>icmp)|meta l4proto (?P<icmp6>icmpv6)) "
    r"ct state new accept"
)
_HARMLESS = re.compile(
    r"\}|comment \"(SR-[0-9A-Z]+|baseline-[a-z0-9-]+)\"|ct state established,related accept"
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


@dataclass(slots=True)
class _Chain:
    """One chain as it is read: what passes in it, and where it goes on, up to the first statement that ends it."""

    name: str
    base: bool = False
    ended: bool = False
    openings: set[Opening] = field(default_factory=set)
    jumps: set[str] = field(default_factory=set)


@lru_cache(maxsize=8)
def read_nftables(text: str) -> Rendering:
    """What the tables of the file let pass; never raises, what it does not know is foreign.

    A chain that no base chain jumps to lets nothing pass, nor does what stands behind a drop.
    """
    foreign: list[str] = []
    chains = [_Chain("")]
    for line in text.splitlines():
        statement = line.strip()
        found = _CHAIN.fullmatch(line)
        if found is not None:
            chains.append(_Chain(found["name"]))
        elif statement and not statement.startswith(("table ", "delete table ")):
            foreign += _read_statement(chains[-1], statement)
    openings: dict[str, set[Opening]] = {}
    reached = {name for chain in chains if chain.base for name in chain.jumps}
    for chain in chains:
        if chain.base or chain.name in reached:
            openings.setdefault(re.sub(r"-v[46]$", "", chain.name), set()).update(chain.openings)
    return Rendering({name: frozenset(each) for name, each in openings.items() if each}, tuple(foreign))


def _read_statement(chain: _Chain, statement: str) -> list[str]:
    """Put the statement into its chain; the answer is the statement itself when no rule becomes that."""
    if statement == "drop":
        chain.ended = True
        return [] if chain.name == _LAST else [f"{chain.name}: drop"]
    if statement.startswith("jump "):
        target = statement.removeprefix("jump ")
        if not chain.ended:
            chain.jumps.add(target)
        # The last chain drops, so nothing behind the jump to it is ever looked at.
        chain.ended = chain.ended or target == _LAST
        return [] if chain.base else [f"{chain.name}: {statement}"]
    if statement.startswith("type filter hook "):
        chain.base = True
    if _HARMLESS.fullmatch(statement):
        return []
    opening = _opening(statement)
    if opening is None:
        return [statement]
    if not chain.ended:
        chain.openings.add(opening)
    return []


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
