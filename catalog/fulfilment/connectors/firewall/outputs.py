"""What firewalls there are that the policy can be written for, by Aerleon's names; a setting chooses among them.

nftables is always written, for it is what is read back: a rule is in force when that file lets pass exactly what the
rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aerleon.lib import arista, cisco, cisconx, ciscoxr, juniper, junipersrx

from catalog.fulfilment.connectors.firewall import render
from catalog.fulfilment.connectors.firewall.rules import Rule, Zone
from portal.core.networks import IPV4, IPV6

Write = Callable[[Mapping[str, Zone], list[Rule]], str]


@dataclass(frozen=True, slots=True)
class Output:
    """One rendered file: where it stands, and what writes it."""

    path: str
    write: Write


def _by_source(target: str, generator: Any, options: Mapping[int, str]) -> Write:
    """One list for each zone and address family, to be bound where the zone's traffic comes in; each ends in a denial."""

    def write(zones: Mapping[str, Zone], rules: list[Rule]) -> str:
        filters = [
            {
                "header": {"targets": {target: f"from-{name}-v{version} {option}"}},
                "terms": [*render.terms_of(rules, version, source_zone=name), dict(render.LAST_TERM)],
            }
            for name in sorted(zones)
            for version, option in options.items()
        ]
        return render.written(generator, filters, rules)

    return write


def _srx(_zones: Mapping[str, Zone], rules: list[Rule]) -> str:
    """One policy for each way between zones; what no policy allows is denied by the box itself."""
    filters = [
        {
            "header": {"targets": {"srx": f"from-zone {source} to-zone {destination} mixed"}},
            "terms": [
                term
                for rule in rules
                if (rule.source_zone, rule.destination_zone) == (source, destination)
                for term in render.terms(rule)
            ],
        }
        for source, destination in sorted({(rule.source_zone, rule.destination_zone) for rule in rules})
    ]
    return render.written(junipersrx.JuniperSRX, filters, rules) if filters else ""


_EXTENDED = {IPV4: "extended", IPV6: "inet6"}
#: By Aerleon's name of the target.
OUTPUTS: Mapping[str, Output] = {
    "nftables": Output(render.NFTABLES_PATH, render.render_nftables),
    "ciscoasa": Output(render.ASA_PATH, render.render_asa),
    "paloalto": Output(render.PALO_ALTO_PATH, lambda _zones, rules: render.render_palo_alto(rules)),
    "cisco": Output("rendered/edge.ios", _by_source("cisco", cisco.Cisco, _EXTENDED)),
    "ciscoxr": Output("rendered/edge.iosxr", _by_source("ciscoxr", ciscoxr.CiscoXR, _EXTENDED)),
    "cisconx": Output("rendered/edge.nxos", _by_source("cisconx", cisconx.CiscoNX, _EXTENDED)),
    "arista": Output("rendered/edge.eos", _by_source("arista", arista.Arista, _EXTENDED)),
    "juniper": Output(
        "rendered/edge.junos", _by_source("juniper", juniper.Juniper, {IPV4: "inet", IPV6: "inet6"})
    ),
    "srx": Output("rendered/edge.srx", _srx),
}
DEFAULT = ("ciscoasa", "nftables", "paloalto")


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """These outputs, nftables among them, in order. Raises ValueError for a name that is none."""
    wanted = {*names, "nftables"}
    unknown = sorted(wanted - set(OUTPUTS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no output; there are {', '.join(sorted(OUTPUTS))}")
    return tuple(sorted(wanted))


def paths(names: Sequence[str]) -> tuple[str, ...]:
    """The files of these outputs, in order."""
    return tuple(OUTPUTS[name].path for name in names)


def render_all(
    zones: Mapping[str, Zone], rules: Iterable[Rule], names: Sequence[str] = DEFAULT
) -> dict[str, bytes]:
    """Every chosen file by path. The same zones and rules give the same bytes."""
    ordered = sorted(rules, key=lambda rule: rule.reference)
    return {OUTPUTS[name].path: OUTPUTS[name].write(zones, ordered).encode() for name in names}
