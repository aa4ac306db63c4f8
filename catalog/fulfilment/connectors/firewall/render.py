"""The policy as firewalls read it, rendered by Aerleon: nftables, Cisco ASA and Palo Alto, and what all share.

Aerleon gets names, networks, ports and references only. Expired rules are left out here, by the portal's clock:
Aerleon would drop a rule at the start of its last day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from typing import Any

from aerleon.lib import ciscoasa, naming, nftables, paloaltofw, policy, policy_builder

from catalog.fulfilment.connectors.firewall.rules import PREVIEW, Rule, Zone
from portal.core.networks import IPV4, IPV6, Network

NFTABLES_PATH = "rendered/edge.nft"
ASA_PATH = "rendered/edge.asa"
PALO_ALTO_PATH = "rendered/edge.palo.xml"

# Aerleon keeps the definitions that it resolves names by in a module's global: without this, two threads that render
# at once would put one rule's networks into the other.
_AERLEON = Lock()
TABLE = "filtering_policies"
# A file that only defines tables adds to what is loaded: loading it twice doubled every rule. Declaring a table
# first makes its deletion succeed on the first load too (`destroy` came after nft 1.0.6), and nft loads a file
# as one transaction, so there is no moment without rules.
_NFTABLES_HEAD = "".join(
    f"table {family} {TABLE}\ndelete table {family} {TABLE}\n" for family in ("ip", "ip6")
)
# Aerleon gives two classes in that module the name Term, so a type checker sees neither.
_AsaTerm: Any = ciscoasa.__dict__["Term"]
LAST_TERM = {"name": "default-deny", "action": "deny"}


def render_nftables(zones: Mapping[str, Zone], rules: Iterable[Rule]) -> str:
    """The nftables file: a table for each family, a chain for each rule, everything else dropped."""
    ordered = list(rules)
    filters = []
    for version, family in ((IPV4, "inet"), (IPV6, "inet6")):
        own = [
            term
            | {
                "source-interface": zones[rule.source_zone].interface,
                "destination-interface": zones[rule.destination_zone].interface,
            }
            for rule in ordered
            for term in terms(rule)
            if term["name"].endswith(f"-v{version}")
        ]
        filters.append(
            {"header": {"targets": {"nftables": f"{family} forward"}}, "terms": [*own, dict(LAST_TERM)]}
        )
    return _NFTABLES_HEAD + written(nftables.Nftables, filters, ordered)


def nftables_chains(zones: Mapping[str, Zone], rule: Rule) -> list[str]:
    """The lines that this rule brings to the nftables file, in order."""
    text = render_nftables(zones, [rule])
    lines: list[str] = []
    for name in (term["name"] for term in terms(rule)):
        start = text.index(f"    chain {name} {{")
        lines += text[start : text.index("    }\n", start) + 5].splitlines()
        lines.append(f"        jump {name}")
    return lines


def render_asa(zones: Mapping[str, Zone], rules: list[Rule]) -> str:
    """The Cisco ASA file."""
    # One list for each interface, as ASA binds them; an empty one too, so that a zone's last rule can go.
    filters = [
        {
            "header": {"targets": {"ciscoasa": f"from-{name}"}},
            "terms": [
                *(term for rule in rules if rule.source_zone == name for term in terms(rule)),
                dict(LAST_TERM),
            ],
        }
        for name in sorted(zones)
    ]
    return written(_BothFamiliesAsa, filters, rules)


def render_palo_alto(rules: list[Rule]) -> str:
    """The Palo Alto file."""
    ways = sorted({(rule.source_zone, rule.destination_zone) for rule in rules})
    filters = [
        {
            "header": {"targets": {"paloalto": f"from-zone {source} to-zone {destination} mixed addr-obj"}},
            "terms": [
                term
                for rule in rules
                if (rule.source_zone, rule.destination_zone) == (source, destination)
                for term in terms(rule)
            ],
        }
        for source, destination in ways
    ]
    if not filters:
        return '<?xml version="1.0" ?>\n<config urldb="paloaltonetworks" version="8.1.0"/>\n'
    return written(paloaltofw.PaloAltoFW, filters, rules)


def terms(rule: Rule) -> Iterator[dict[str, str]]:
    """One Aerleon term for each address family, so that no statement mixes the two."""
    name = rule.reference or PREVIEW
    for version in rule.versions():
        term = {
            "name": f"{name}-v{version}",
            "comment": name,
            "source-address": f"{name}-from-v{version}",
            "destination-address": f"{name}-to-v{version}",
            "protocol": "icmpv6" if rule.protocol == "icmp" and version == IPV6 else rule.protocol,
            "action": "accept",
        }
        if rule.ports:
            term["destination-port"] = f"{name}-ports"
        yield term


def _policy(filters: list[dict[str, Any]], rules: Iterable[Rule]) -> policy.Policy:
    networks: dict[str, Any] = {}
    services: dict[str, Any] = {}
    for rule in rules:
        name = rule.reference or PREVIEW
        for version in rule.versions():
            networks[f"{name}-from-v{version}"] = _values(rule.sources, version)
            networks[f"{name}-to-v{version}"] = _values(rule.destinations, version)
        if rule.ports:
            services[f"{name}-ports"] = [
                {"protocol": rule.protocol, "port": str(first) if first == last else f"{first}-{last}"}
                for first, last in rule.ports
            ]
    described: Any = {"filename": "edge", "filters": filters}
    definitions = naming.Naming()
    definitions.ParseDefinitionsObject({"networks": networks, "services": services}, "")
    return policy.FromBuilder(policy_builder.PolicyBuilder(described, definitions))


def _values(networks: Iterable[Network], version: int) -> dict[str, list[dict[str, str]]]:
    return {"values": [{"address": str(network)} for network in networks if network.version == version]}


def terms_of(rules: Iterable[Rule], version: int, *, source_zone: str) -> Iterator[dict[str, str]]:
    """The terms in one address family of the rules for what comes from this zone."""
    for rule in rules:
        if rule.source_zone == source_zone:
            yield from (term for term in terms(rule) if term["name"].endswith(f"-v{version}"))


def written(
    generator: Callable[[policy.Policy, int], object], filters: list[dict[str, Any]], rules: Iterable[Rule]
) -> str:
    """What Aerleon's generator makes of these filters."""
    with _AERLEON:
        return str(generator(_policy(filters, rules), 0)).strip("\n") + "\n"


class _BothFamiliesAsaTerm(_AsaTerm):  # type: ignore[misc]
    """A term in the family of its addresses. ASA calls ICMP for IPv6 `icmp6`."""

    def _TermletToStr(self, filter_name: str, action: str, proto: str, *rest: Any) -> list[str]:  # noqa: N802
        named = "icmp6" if proto == "icmpv6" else proto
        lines: list[str] = super()._TermletToStr(filter_name, action, named, *rest)
        return lines


class _BothFamiliesAsa(ciscoasa.CiscoASA):
    """Aerleon renders IPv4 alone for ASA; its access lists have taken both families since 9.0(1)."""

    def _TranslatePolicy(self, pol: policy.Policy, exp_info: int) -> None:  # noqa: N802
        self.ciscoasa_policies = []
        for header, terms in self.policy.filters:
            name = header.FilterName(self._PLATFORM)
            texts = [
                str(_BothFamiliesAsaTerm(term, name, 6 if term.name.endswith("-v6") else 4)) for term in terms
            ]
            self.ciscoasa_policies.append((header, name, texts))
