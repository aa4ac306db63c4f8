"""Names that a server certificate may carry: DNS names as A-labels in lower case, and IP addresses."""

from __future__ import annotations

import ipaddress
import re

import idna

from catalog.fulfilment.connectors.ca.refusal import CsrError
from portal.core.language import _, say

_LONGEST_NAME = 253
#: RFC 1123 §2.1: letters, digits and hyphens, no hyphen at either end, 63 octets (RFC 1035 §2.3.4).
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_FEWEST_LABELS = 2


def dns_name(text: str) -> str:
    """The name in lower case with A-labels (RFC 5891); `*` may stand for the whole first label.

    Raises CsrError when it is no full DNS name.
    """
    name = text.strip()
    wildcard = name.startswith("*.")
    rest = name[2:] if wildcard else name
    if is_ip(rest):
        message = say(
            "“%(name)s” is an IP address in the place of a DNS name. Write it as an IP entry: IP:%(address)s.",
            name=name,
            address=rest,
        )
        raise CsrError(message)
    if "*" in rest:
        message = say(
            "“%(name)s” has a star inside. A star may only stand for the whole first part: *.example.com.",
            name=name,
        )
        raise CsrError(message)
    labels = _encoded(rest, name).split(".")
    if len(labels) < _FEWEST_LABELS:
        if wildcard:
            message = say(
                "“%(name)s” would stand for a whole top-level domain. Name the domain: *.example.com.",
                name=name,
            )
        else:
            message = say(
                "“%(name)s” is not a full name. Write it with its domain, for example www.example.com.",
                name=name,
            )
        raise CsrError(message)
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        raise CsrError(_not_a_name(name))
    encoded = "*." * wildcard + ".".join(labels)
    if len(encoded) > _LONGEST_NAME:
        message = say(
            "A name is longer than %(most)s characters: “%(name)s…”. Use a shorter one.",
            most=_LONGEST_NAME,
            name=encoded[:60],
        )
        raise CsrError(message)
    return encoded


def ip_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The address in its one short form. Raises CsrError for one that no server can have."""
    if address.is_unspecified or address.is_multicast:
        message = say(
            "%(address)s is not the address of one server. Give the address under which the server is reached.",
            address=address,
        )
        raise CsrError(message)
    return str(address)


def is_ip(text: str) -> bool:
    """Whether this is an IP address, in brackets or not."""
    try:
        ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return False
    return True


def shown(name: str) -> str:
    """The name for people, in the language that is spoken: an A-label with the letters behind that it stands for."""
    if "xn--" not in name:
        return name
    rest = name.removeprefix("*.")
    letters = idna.decode(rest)
    return _("%(name)s (that is %(letters)s)", name=name, letters=f"{name[: len(name) - len(rest)]}{letters}")


def _encoded(rest: str, name: str) -> str:
    lowered = rest.lower()
    try:
        if rest.isascii() and "xn--" not in lowered:
            return lowered
        # UTS 46 first folds case and width, as a browser does; IDNA 2008 then judges each label.
        encoded = idna.encode(rest, uts46=True, std3_rules=True, transitional=False).decode("ascii")
        idna.decode(encoded)
    except (idna.IDNAError, UnicodeError) as error:
        raise CsrError(_not_a_name(name)) from error
    return encoded


def _not_a_name(name: str) -> str:
    return say(
        "“%(name)s” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com.",
        name=name[:80],
    )
