"""Sets of networks, exactly: what is covered, what is left, how many addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, summarize_address_range

from portal.core.networks import IPV4, IPV6, Network
from portal.core.spans import Span, intersect, merge, size, subtract


def spans_of(networks: Iterable[Network], version: int) -> tuple[Span, ...]:
    """The addresses of one family (4 or 6) as merged ranges of numbers."""
    return merge(
        (int(network.network_address), int(network.broadcast_address))
        for network in networks
        if network.version == version
    )


def networks_of(spans: Sequence[Span], version: int) -> tuple[Network, ...]:
    """The fewest networks that hold exactly these addresses of one family, in order."""
    address = IPv4Address if version == IPV4 else IPv6Address

    def each() -> Iterator[Network]:
        for first, last in spans:
            yield from summarize_address_range(address(first), address(last))

    return tuple(each())


def covers(outer: Iterable[Network], inner: Iterable[Network]) -> bool:
    """Whether every address of `inner` is in some network of `outer`, alone or together."""
    return not difference(inner, outer)


def difference(networks: Iterable[Network], without: Iterable[Network]) -> tuple[Network, ...]:
    """What is in the first networks and in none of the second."""
    return _by_family(networks, without, subtract)


def intersection(networks: Iterable[Network], others: Iterable[Network]) -> tuple[Network, ...]:
    """What is in both."""
    return _by_family(networks, others, intersect)


def address_count(networks: Iterable[Network]) -> int:
    """How many addresses these are, each counted once."""
    taken = list(networks)
    return sum(size(spans_of(taken, version)) for version in (IPV4, IPV6))


def _by_family(
    left: Iterable[Network],
    right: Iterable[Network],
    operation: Callable[[Sequence[Span], Sequence[Span]], tuple[Span, ...]],
) -> tuple[Network, ...]:
    lefts, rights = list(left), list(right)
    found: list[Network] = []
    for version in (IPV4, IPV6):
        spans = operation(spans_of(lefts, version), spans_of(rights, version))
        found.extend(networks_of(spans, version))
    return tuple(found)
