"""The zones and rules that a demonstration starts from: a holding with two subsidiaries behind one edge firewall."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.fulfilment.connectors.firewall.rules import Protocol, Rule, Zone
from portal.core.networks import parse_networks
from portal.core.ports import parse_ports


def _zone(name: str, label: str, networks: str, interface: str) -> Zone:
    return Zone(name, label, parse_networks(networks), interface)


def _rule(
    reference: str, way: tuple[str, str], ends: tuple[str, str], protocol: Protocol, ports: str
) -> Rule:
    return Rule(
        reference=f"baseline-{reference}",
        source_zone=way[0],
        destination_zone=way[1],
        sources=parse_networks(ends[0]),
        destinations=parse_networks(ends[1]),
        protocol=protocol,
        ports=parse_ports(ports) if ports else (),
    )


ZONES: Mapping[str, Zone] = {
    zone.name: zone
    for zone in (
        _zone("office", "Head office workstations", "10.1.0.0/16, fd00:10:1::/48", "office"),
        _zone("servers", "Application servers", "10.8.0.0/16, fd00:10:8::/48", "servers"),
        _zone("dmz", "Published services (DMZ)", "10.9.0.0/16, fd00:10:9::/48", "dmz"),
        _zone("database", "Databases", "10.10.0.0/16, fd00:10:10::/48", "database"),
        _zone("subsidiary-east", "Subsidiary in the east", "10.20.0.0/16", "sub-east"),
        _zone("subsidiary-west", "Subsidiary in the west", "10.30.0.0/16", "sub-west"),
        _zone("internet", "Internet", "0.0.0.0/0, ::/0", "wan"),
    )
}

BASELINE: Mapping[str, Rule] = {
    rule.reference: rule
    for rule in (
        _rule("web-out", ("office", "internet"), ("10.1.0.0/16", "0.0.0.0/0"), "tcp", "80, 443"),
        _rule("public-site", ("internet", "dmz"), ("0.0.0.0/0", "10.9.0.80"), "tcp", "80, 443"),
        _rule("site-to-app", ("dmz", "servers"), ("10.9.0.80", "10.8.1.0/24"), "tcp", "8443"),
        _rule("app-to-database", ("servers", "database"), ("10.8.1.0/24", "10.10.1.0/24"), "tcp", "5432"),
        _rule("ping-servers", ("office", "servers"), ("10.1.0.0/16", "10.8.0.0/16"), "icmp", ""),
    )
}
