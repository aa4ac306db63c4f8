"""What may be asked of the firewall: used by the form as people type and by the connector before it plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from catalog.fulfilment.connectors.firewall.coverage import same_way
from catalog.fulfilment.connectors.firewall.problems import Problem, RuleError
from catalog.fulfilment.connectors.firewall.rules import PROTOCOLS, ZONE_NAME, Protocol, Rule, Zone
from catalog.fulfilment.connectors.firewall.width import check_width
from portal.core.language import N_, say
from portal.core.network_sets import covers, intersection
from portal.core.networks import Kind, Network, classify, parse_networks, special_part
from portal.core.ports import parse_ports
from portal.core.spans import Span

__all__ = ["Problem", "RuleError", "check_answers", "check_rule", "rule_from_answers"]

_NEVER: frozenset[Kind] = frozenset({"loopback", "link-local", "multicast", "reserved"})
_Value = TypeVar("_Value")


def rule_from_answers(
    answers: Mapping[str, Any], *, reference: str = "", ends_at: datetime | None = None
) -> Rule:
    """The rule that source_zone, destination_zone, source, destination, protocol and ports describe.

    Raises RuleError with one problem for each field that cannot be read.
    """
    problems: list[Problem] = []

    def read(field: str, parse: Callable[[object], _Value], empty: _Value) -> _Value:
        try:
            return parse(answers.get(field) or "")
        except ValueError as error:
            # What `say` made stays in every language as long as nobody makes a plain text of it.
            problems.append(Problem(field, error.args[0] if error.args else str(error)))
            return empty

    protocol: Protocol = read("protocol", _protocol, PROTOCOLS[0])
    rule = Rule(
        reference=reference,
        source_zone=str(answers.get("source_zone") or ""),
        destination_zone=str(answers.get("destination_zone") or ""),
        sources=read("source", _network_list, ()),
        destinations=read("destination", _network_list, ()),
        protocol=protocol,
        ports=read("ports", _no_ports if protocol == "icmp" else _port_list, ()),
        ends_at=None if ends_at is None else ends_at.replace(microsecond=0),
    )
    if problems:
        raise RuleError(problems)
    return rule


def check_answers(
    answers: Mapping[str, Any], zones: Mapping[str, Zone], open_rules: Iterable[Rule] = ()
) -> list[Problem]:
    """Everything wrong with a rule as it was typed, for the form. Empty when it may be asked for."""
    try:
        rule = rule_from_answers(answers)
    except RuleError as error:
        return list(error.problems)
    return check_rule(rule, zones, open_rules)


def check_rule(rule: Rule, zones: Mapping[str, Zone], open_rules: Iterable[Rule] = ()) -> list[Problem]:
    """Everything wrong with a rule: its zones, the kind of its addresses, and how wide it is.

    The width is judged together with what `open_rules` already let pass the same way, so that a wide opening
    cannot be asked for in narrow slices.
    """
    problems = [
        Problem(field, _no_zone(name))
        for field, name in (("source_zone", rule.source_zone), ("destination_zone", rule.destination_zone))
        if name not in zones
    ]
    if problems:
        return problems
    if rule.source_zone == rule.destination_zone:
        message = say("Traffic inside one zone does not pass the firewall. Choose two different zones.")
        return [Problem("destination_zone", message)]
    problems += _places("source", rule.sources, zones[rule.source_zone], zones)
    problems += _places("destination", rule.destinations, zones[rule.destination_zone], zones)
    problems = problems or _families(rule)
    if not problems:
        problems = check_width(rule, zones, list(same_way(rule, open_rules)))
    return problems


def _no_zone(name: str) -> str:
    # Only what could be a zone's name is said back; anything else is not worth repeating.
    if ZONE_NAME.fullmatch(name):
        return say("There is no zone called %(name)s. Choose one from the list.", name=name)
    return say("Choose a zone from the list.")


def _protocol(text: object) -> Protocol:
    if str(text).lower() not in PROTOCOLS:
        raise ValueError(say("Choose TCP, UDP or ICMP."))
    return cast("Protocol", str(text).lower())


def _network_list(value: object) -> tuple[Network, ...]:
    return parse_networks([str(item) for item in value] if isinstance(value, list | tuple) else str(value))


def _port_list(value: object) -> tuple[Span, ...]:
    return parse_ports(str(value))


def _no_ports(value: object) -> tuple[Span, ...]:
    if str(value).strip():
        raise ValueError(say("ICMP has no ports. Leave them empty."))
    return ()


def _places(field: str, networks: Sequence[Network], zone: Zone, zones: Mapping[str, Zone]) -> list[Problem]:
    problems = []
    for network in networks:
        special = special_part(network, _NEVER)
        if special is not None:
            kind, block = special
            message = say(
                "%(network)s touches %(block)s (%(kind)s), which no firewall rule may name.",
                network=network,
                block=block,
                kind=kind,
            )
            problems.append(Problem(field, message))
        elif not covers(zone.networks, [network]):
            own = ", ".join(str(part) for part in zone.networks)
            message = say(
                "%(network)s is not inside the zone %(zone)s, which has %(own)s.",
                network=network,
                zone=zone.name,
                own=own,
            )
            problems.append(Problem(field, message))
        elif zone.is_everything_else and network.prefixlen > 0:
            problems += _inner(field, network, zone, zones)
    return problems


def _inner(field: str, network: Network, zone: Zone, zones: Mapping[str, Zone]) -> list[Problem]:
    """The internet has 0.0.0.0/0, yet no address of an inner zone or of a private range belongs to it."""
    for other in zones.values():
        if not other.is_everything_else and intersection(other.networks, [network]):
            message = say(
                "%(network)s reaches into the zone %(other)s, so it is not on the %(zone)s side.",
                network=network,
                other=other.name,
                zone=zone.name,
            )
            return [Problem(field, message)]
    if classify(network) in {"private", "mixed"}:
        message = say(
            "%(network)s holds private addresses, which are not on the %(zone)s side.",
            network=network,
            zone=zone.name,
        )
        return [Problem(field, message)]
    return []


def _families(rule: Rule) -> list[Problem]:
    present = set(rule.versions())
    return [
        Problem(field, say(message, network=network, version=network.version))
        for field, message, networks in (
            (
                "source",
                N_("%(network)s has no destination of the same address family (IPv%(version)s) to go with."),
                rule.sources,
            ),
            (
                "destination",
                N_("%(network)s has no source of the same address family (IPv%(version)s) to go with."),
                rule.destinations,
            ),
        )
        for network in networks
        if network.version not in present
    ]
