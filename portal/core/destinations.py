"""Where outgoing HTTP may go: the hosts that an operator listed, at addresses that are public or listed too.

A name that is listed may still lead inside, by a mistake or because somebody changed its record (DNS rebinding), so
the address that a name resolves to is judged as well, and what was judged is what is connected to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Self

from portal.core.errors import SettingsError
from portal.core.networks import Network, classify, unwrap

LONGEST_URL = 2048
_PORTS = {"https": 443, "http": 80}
_LARGEST_PORT = 65_535
_LONGEST_NAME = 253
#: The one spelling that is taken: no white space, backslash, control or non-ASCII character, which parsers read apart.
_URL = re.compile(r"(https?)://([^/?#]+)(/[!-~]*)?(\?[!-~]*)?")
_PLAIN = re.compile(r"[!-\[\]-~]*")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: What the URL Standard would read as a number of an IPv4 address: 2130706433, 0x7f, 0177.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class OutgoingRefused(Exception):
    """The rules forbid this call, and will tomorrow: the message is a sentence for the operators."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host as a URL writes it (an IPv6 address without its brackets) and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Destinations:
    """What may be called: these origins and no others, at public addresses and at those inside `networks`."""

    origins: frozenset[Origin]
    networks: tuple[Network, ...] = ()

    @classmethod
    def listed(cls, hosts: Iterable[str], networks: Iterable[str] = ()) -> Self:
        """From an operator's lists: `soar.example.com`, `soar.example.com:8443` or `http://10.1.2.3:8080`, and CIDR.

        Raises SettingsError with a sentence.
        """
        return cls(
            frozenset(origin_listed(host) for host in hosts), tuple(_network(text) for text in networks)
        )

    def check(self, url: str) -> Origin:
        """The origin of an address that may be called. Raises OutgoingRefused."""
        origin = origin_of(url)
        if origin not in self.origins:
            message = f"{origin} is not among the hosts that this portal may call. An operator can list it."
            raise OutgoingRefused(message)
        return origin

    def check_address(self, origin: Origin, text: str) -> IPv4Address | IPv6Address:
        """An address that the origin's name resolved to, if it may be connected to. Raises OutgoingRefused.

        One that carries an IPv4 address (mapped, NAT64, 6to4) is let through only if its own range is listed, and
        what it carries may be connected to as well.
        """
        try:
            address = ip_address(text)
        except ValueError:
            message = f"{origin} leads to {text!r}, which is not an address."
            raise OutgoingRefused(message) from None
        if isinstance(address, IPv6Address) and address.scope_id:
            message = f"{origin} leads to {text}, which is only known on one link."
            raise OutgoingRefused(message)
        network = ip_network(address)
        carried = unwrap(network)
        listed = any(address in known for known in self.networks)
        if carried is not network:
            listed = listed and self._may(carried.network_address)
        elif not listed:
            listed = classify(network) == "global"
        if not listed:
            message = (
                f"{origin} leads to {address}, which is not a public address. If that is meant, an operator "
                "can list its network."
            )
            raise OutgoingRefused(message)
        return address

    def _may(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in known for known in self.networks) or classify(ip_network(address)) == "global"


def origin_of(url: str) -> Origin:
    """The origin of a whole http or https address in the one spelling that is taken. Raises OutgoingRefused."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL and _PLAIN.fullmatch(url) else None
    if found is None:
        message = (
            f"{url[:100]!r} is not an address that this portal calls: it must be a plain https://host/path."
        )
        raise OutgoingRefused(message)
    scheme, authority = found[1], found[2]
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        message = f"{authority[:100]!r} is not a host in lower case with at most a port, without a user name."
        raise OutgoingRefused(message)
    port = int(parts[2] or _PORTS[scheme])
    if port > _LARGEST_PORT:
        message = f"{authority[:100]!r} has a port above {_LARGEST_PORT}."
        raise OutgoingRefused(message)
    return Origin(scheme, _host(parts[1]), port)


def origin_listed(text: str) -> Origin:
    """One entry of an operator's list. Raises SettingsError."""
    url = text if "://" in text else f"https://{text}"
    try:
        origin = origin_of(url)
    except OutgoingRefused as refused:
        message = f"{text!r} cannot be listed as a host that may be called. {refused}"
        raise SettingsError(message) from refused
    if "?" in url or url.count("/") > len("//"):
        message = f"{text!r} cannot be listed as a host that may be called: it has a path. Write {origin}."
        raise SettingsError(message)
    return origin


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            address = IPv6Address(text[1:-1])
        except ValueError:
            message = f"{text[:60]!r} is not an IPv6 address."
            raise OutgoingRefused(message) from None
        if str(address) != text[1:-1]:
            message = f"{text} is written {address} for short."
            raise OutgoingRefused(message)
        return str(address)
    labels = text.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(text))
        except ValueError:
            message = f"{text[:60]!r} is an IPv4 address in another spelling than four decimal numbers."
            raise OutgoingRefused(message) from None
    if len(text) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        message = f"{text[:100]!r} is not a host name; one with other letters is written in its A-label form."
        raise OutgoingRefused(message)
    return text


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        message = f"{text!r} is not a network that may be called; write it like 10.20.0.0/16."
        raise SettingsError(message) from None
