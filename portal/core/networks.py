"""Network arithmetic for the whole product: strict reading, what kind an address is, exact sets.

The standard library is too lenient to judge by: it reads `1.2.3.4/0.0.0.255` as a /24, and takes
`::ffff:127.0.0.1` for no loopback and `64:ff9b::7f00:1` for a global address. Here a network is read in one
spelling only, and IPv6 forms that carry an IPv4 address are judged as that IPv4 address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_network,
)
from typing import Literal

from portal.core.language import _

Network = IPv4Network | IPv6Network
Kind = Literal[
    "any", "mixed", "loopback", "link-local", "multicast", "reserved", "documentation", "private", "global"
]

IPV4, IPV6 = 4, 6
LONGEST_TEXT = 64
MOST_NETWORKS = 64
_ALPHABET = re.compile(r"[0-9A-Fa-f:./]+")
_OCTETS, _LARGEST_OCTET = 4, 255
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_OCTET = re.compile(r"0|[1-9][0-9]{0,2}")

_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 §2.5.5.2
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056 §2

# The special-purpose registries (RFC 6890 and its updates), the first that holds a network names it. IPv6 outside
# 2000::/3 that has no meaning of its own is reserved, and so are Teredo (in 2001::/23) and local NAT64 (in ::/3),
# which hide an IPv4 address.
_BLOCKS: dict[int, tuple[tuple[Kind, tuple[str, ...]], ...]] = {
    4: (
        ("loopback", ("127.0.0.0/8",)),
        ("link-local", ("169.254.0.0/16",)),
        ("multicast", ("224.0.0.0/4",)),
        ("reserved", ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")),
        ("documentation", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")),
        ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    ),
    6: (
        ("loopback", ("::1/128",)),
        ("link-local", ("fe80::/10",)),
        ("multicast", ("ff00::/8",)),
        ("documentation", ("2001:db8::/32", "3fff::/20")),
        ("private", ("fc00::/7",)),
        (
            "reserved",
            (
                *("::/3", "4000::/2", "8000::/2", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9"),
                *("fec0::/10", "2001::/23"),
            ),
        ),
    ),
}
_SPECIAL: dict[int, tuple[tuple[Kind, Network], ...]] = {
    version: tuple((kind, ip_network(text)) for kind, texts in blocks for text in texts)
    for version, blocks in _BLOCKS.items()
}


def parse_network(text: str) -> Network:
    """The network that the text names, in CIDR form; a single address may leave its prefix out.

    IPv4-mapped, NAT64 and 6to4 forms come back as the IPv4 network that they carry. Raises ValueError with a
    sentence for the person who typed it: mask and wildcard forms, host bits, leading zeros, white space, zone
    ids and everything else that two systems could read in two ways.
    """
    address, prefix = _split(text)
    base = _ipv6(address, text) if ":" in address else _ipv4(address, text)
    if prefix is None:
        prefix = base.max_prefixlen
    if prefix > base.max_prefixlen:
        raise ValueError(
            _(
                "%(text)s: the number after the slash is at most %(max_prefixlen)s here.",
                text=text,
                max_prefixlen=base.max_prefixlen,
            )
        )
    bits = (int(base), prefix)
    network = IPv4Network(bits, False) if isinstance(base, IPv4Address) else IPv6Network(bits, False)  # noqa: FBT003
    if network.network_address != base:
        raise ValueError(
            _(
                "%(text)s names an address inside a network. Write %(network)s for the network, or %(base)s/%(max_prefixlen)s for the one address.",
                text=text,
                network=network,
                base=base,
                max_prefixlen=base.max_prefixlen,
            )
        )
    carrier = _carrier_inside(network)
    if carrier is not None:
        raise ValueError(
            _(
                "%(text)s contains %(carrier)s, which carries IPv4 addresses. Name smaller networks, or the IPv4 ones.",
                text=text,
                carrier=carrier,
            )
        )
    return unwrap(network)


def parse_networks(text: str | Sequence[str]) -> tuple[Network, ...]:
    """The networks of a list, or of a text with commas, spaces or line ends between them; collapsed, in order.

    Raises ValueError for the first that cannot be read, for none, and for more than `MOST_NETWORKS`.
    """
    parts = re.split(r"[,\r\n ]+", text) if isinstance(text, str) else list(text)
    named = [part for part in parts if part]
    if not named:
        raise ValueError(_("Name at least one network, like 10.1.2.0/24."))
    if len(named) > MOST_NETWORKS:
        raise ValueError(
            _(
                "Name at most %(most_networks)s networks; %(named)s are too many to review.",
                most_networks=MOST_NETWORKS,
                named=len(named),
            )
        )
    return collapse(parse_network(part) for part in named)


def _split(text: str) -> tuple[str, int | None]:
    if not text or len(text) > LONGEST_TEXT:
        raise ValueError(_("Write one network, like 10.1.2.0/24."))
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            _("A network has only digits, letters a to f, dots, colons and a slash, without spaces.")
        )
    if "%" in text:
        raise ValueError(_("%(text)s carries a zone id after the %% sign. Leave it out.", text=text))
    if not _ALPHABET.fullmatch(text):
        raise ValueError(_("%(text)s is not a network. Write it like 10.1.2.0/24.", text=text))
    address, slash, prefix = text.partition("/")
    if not slash:
        return address, None
    if "." in prefix or ":" in prefix:
        raise ValueError(
            _("%(text)s gives a mask. Write how many bits are fixed instead, like 10.1.2.0/24.", text=text)
        )
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(
            _("%(text)s: after the slash stands a number without leading zeros, like 10.1.2.0/24.", text=text)
        )
    return address, int(prefix)


def _ipv4(address: str, text: str) -> IPv4Address:
    octets = address.split(".")
    if len(octets) != _OCTETS:
        raise ValueError(
            _("%(text)s is not a network. An IPv4 address has four numbers, like 10.1.2.0/24.", text=text)
        )
    for octet in octets:
        if len(octet) > 1 and octet.startswith("0"):
            raise ValueError(
                _("%(text)s has a leading zero, which some systems read as octal. Leave it out.", text=text)
            )
        if not _OCTET.fullmatch(octet) or int(octet) > _LARGEST_OCTET:
            raise ValueError(
                _("%(text)s is not a network. Each of the four numbers is from 0 to 255.", text=text)
            )
    return IPv4Address(address)


def _ipv6(address: str, text: str) -> IPv6Address:
    head, _colon, last = address.rpartition(":")
    if "." in head:
        raise ValueError(_("%(text)s is not a network. Write it like 2001:db8::/32.", text=text))
    if "." in last:
        _ipv4(last, text)
    try:
        return IPv6Address(address)
    except ValueError as error:
        raise ValueError(_("%(text)s is not a network. Write it like 2001:db8::/32.", text=text)) from error


def _carrier_inside(network: Network) -> IPv6Network | None:
    """An IPv4-carrying block that the network holds beside other addresses; ::/0 means anything and is let be."""
    if isinstance(network, IPv4Network) or network.prefixlen == 0:
        return None
    for block in (_MAPPED, _NAT64, _SIX_TO_FOUR):
        if block != network and block.subnet_of(network):
            return block
    return None


def unwrap(network: Network) -> Network:
    """The IPv4 network inside an IPv4-mapped, NAT64 or 6to4 one; any other network unchanged.

    A 6to4 network longer than /48 is one site's inside and comes back as that site's IPv4 address.
    """
    if isinstance(network, IPv4Network):
        return network
    bits = int(network.network_address)
    if network.subnet_of(_MAPPED) or network.subnet_of(_NAT64):
        return IPv4Network((bits & 0xFFFFFFFF, network.prefixlen - 96))
    if network.subnet_of(_SIX_TO_FOUR):
        return IPv4Network(((bits >> 80) & 0xFFFFFFFF, min(network.prefixlen - 16, 32)))
    return network


def classify(network: Network) -> Kind:
    """What kind of addresses these are, judged as IPv4 where they carry IPv4.

    `any` is a whole family; `mixed` is a network that holds a special block and more.
    """
    judged = unwrap(network)
    if judged.prefixlen == 0:
        return "any"
    if _carrier_inside(judged) is not None:
        return "mixed"
    for kind, block in _SPECIAL[judged.version]:
        if inside(judged, block):
            return kind
    if any(inside(block, judged) for _, block in _SPECIAL[judged.version]):
        return "mixed"
    return "global"


def special_part(network: Network, kinds: frozenset[Kind]) -> tuple[Kind, Network] | None:
    """The first block of one of these kinds that the network touches, or None.

    A whole family touches none: 0.0.0.0/0 is how people write "anything".
    """
    judged = unwrap(network)
    if judged.prefixlen == 0:
        return None
    for kind, block in _SPECIAL[judged.version]:
        if inside(judged, block):
            return (kind, block) if kind in kinds else None
    for kind, block in _SPECIAL[judged.version]:
        if kind in kinds and inside(block, judged):
            return kind, block
    return None


def inside(inner: Network, outer: Network) -> bool:
    """Whether every address of `inner` is in `outer`; networks of two families are never inside each other."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def collapse(networks: Iterable[Network]) -> tuple[Network, ...]:
    """The fewest networks that hold exactly the same addresses, IPv4 before IPv6, in order."""
    taken = list(networks)
    fours = collapse_addresses(network for network in taken if isinstance(network, IPv4Network))
    sixes = collapse_addresses(network for network in taken if isinstance(network, IPv6Network))
    return (*fours, *sixes)
