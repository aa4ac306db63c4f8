"""The names that something live is known under, found in what was sealed of it and what its target says.

One table from the name of a fact to the kind of name that its value is; connectors call the same things alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.explaining.questions import (
    Kind,
    Question,
    fingerprint_of,
    network_question,
    port_question,
    serial_of,
)
from portal.core.networks import parse_network
from portal.core.ports import parse_ports

_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("serial", "serials", "serial_number"), "serial"),
    **dict.fromkeys(("spki_sha256", "fingerprint", "fingerprints", "sha256", "sha1"), "fingerprint"),
    **dict.fromkeys(
        ("names", "dns_names", "hosts", "host_names", "host", "host_name", "fqdn", "server"), "host"
    ),
    **dict.fromkeys(
        ("sources", "destinations", "source_addresses", "addresses", "networks", "source", "destination"),
        "network",
    ),
    **dict.fromkeys(("ports", "port"), "port"),
    **dict.fromkeys(("commit", "commits"), "commit"),
    **dict.fromkeys(("user_name", "account", "accounts", "principals", "login", "holder"), "account"),
    **dict.fromkeys(("role", "roles", "group", "groups", "asset", "playbook", "action"), "name"),
}
#: Inside a thing that has a kind of its own, what it is called.
_CALLED = frozenset({"name", "user_name", "id", "value"})
#: Named for whom it is, and not what it is: a public key's owner in an SSH certificate.
_FOR = "for"
_LONGEST = 400


def names_in(*facts: Any) -> frozenset[Question]:
    """Every name in these facts."""
    found: set[Question] = set()
    for value in facts:
        found.update(_walk(value, None))
    return frozenset(found)


def account_names(*names: str) -> frozenset[Question]:
    """A person's user name, mail address and name."""
    return frozenset(Question("account", name.casefold()[:_LONGEST]) for name in names if name)


def _walk(value: Any, kind: Kind | None) -> Iterator[Question]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            inner = _KINDS.get(name)
            if name == _FOR:
                inner = "account"
            if kind is not None and name in _CALLED:
                inner = kind
            yield from _walk(part, inner)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _walk(part, kind)
    elif kind is not None and isinstance(value, str | int) and not isinstance(value, bool):
        yield from _named(kind, str(value).strip())


def _named(kind: Kind, text: str) -> Iterator[Question]:
    if not text or len(text) > _LONGEST:
        return
    if kind in {"network", "host"}:
        try:
            yield network_question(parse_network(text))
        except ValueError:
            yield Question("host", text.casefold())
    elif kind == "port":
        try:
            yield from (port_question(first, last) for first, last in parse_ports(text))
        except ValueError:
            return
    elif kind == "serial":
        yield Question("serial", serial_of(text))
        # SSH's serial numbers are written as decimal numbers.
        if text.isdecimal():
            yield Question("serial", f"{int(text):x}")
    elif kind == "fingerprint":
        yield Question("fingerprint", fingerprint_of(text))
    elif kind == "commit":
        yield Question("commit", text.lower(), text.lower(), text.lower())
    else:
        yield Question(kind, text.casefold())
