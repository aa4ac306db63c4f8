"""Ending what a closed rule had let through: established connections pass by their state, not by a rule.

Their entries are taken out of the kernel's table of connections. What another rule still allows goes on, for its next
packet is looked at as a new connection's; what none allows any more is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from catalog.fulfilment.connectors.firewall.rendered import Opening, Rendering
from portal.core.network_sets import networks_of
from portal.core.networks import IPV4

#: Runs conntrack with these arguments: its status and words.
Run = Callable[[list[str]], tuple[int, str]]
#: Pairs of networks that are named one by one; beyond them the destinations alone are.
MOST_PAIRS = 200
#: conntrack ends with status 1 when nothing matched.
_NOTHING = "0 flow entries have been deleted"


def end_connections(before: Rendering, after: Rendering, run: Run) -> bool:
    """End what passed by the openings that are gone. False when conntrack could not be asked."""
    for opening in closed(before.openings, after.openings):
        for arguments in _filters(opening):
            code, words = run(["-D", *arguments])
            if code != 0 and _NOTHING not in words:
                return False
    return True


def closed(
    before: Mapping[str, frozenset[Opening]], after: Mapping[str, frozenset[Opening]]
) -> tuple[Opening, ...]:
    """The openings that were there and are no more, whosever they are."""
    still = {opening for openings in after.values() for opening in openings}
    return tuple(
        dict.fromkeys(
            opening for name in sorted(before) for opening in sorted(before[name] - still, key=repr)
        )
    )


def _filters(opening: Opening) -> Iterator[list[str]]:
    family = "ipv4" if opening.version == IPV4 else "ipv6"
    protocol = "icmpv6" if opening.protocol == "icmp" and family == "ipv6" else opening.protocol
    sources = [str(network) for network in networks_of(opening.sources, opening.version)]
    destinations = [str(network) for network in networks_of(opening.destinations, opening.version)]
    one_port = len(opening.ports) == 1 and opening.ports[0][0] == opening.ports[0][1]
    port = ["--dport", str(opening.ports[0][0])] if one_port else []
    for ends in _ends(sources, destinations):
        yield ["-f", family, "-p", protocol, *ends, *port]


def _ends(sources: list[str], destinations: list[str]) -> Iterable[list[str]]:
    if len(sources) * len(destinations) > MOST_PAIRS:
        return [["-d", destination] for destination in destinations]
    return [["-s", source, "-d", destination] for source, destination in product(sources, destinations)]
