"""Reading what somebody typed into the one box: an address, a port, a serial number, an account, and so on.

One text may be several things: forty hexadecimal digits are a commit to one and a serial number to another. All that
it may be is asked for; what it cannot be is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from portal.core.errors import FieldError
from portal.core.language import N_, _
from portal.core.networks import Network, parse_network
from portal.core.ports import parse_ports

Kind = Literal["reference", "network", "port", "host", "serial", "fingerprint", "commit", "account", "name"]

LONGEST = 400
_REFERENCE = re.compile(r"SR-[0-9]{6,12}", re.IGNORECASE)
_NETWORK = re.compile(
    r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9./]+)?|[0-9a-f]*:[0-9a-f:.]*(/[0-9]+)?", re.IGNORECASE
)
_PORT = re.compile(r"(?:(?:tcp|udp)[/ ])?([0-9]{1,5}(?:-[0-9]{1,5})?)(?:/(?:tcp|udp))?", re.IGNORECASE)
_WITH_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:\[\]]+)(?::| +(?:tcp|udp)/| +)([0-9]{1,5})", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_PAIRS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2})+", re.IGNORECASE)
_OPENSSH = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_HOST = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}", re.IGNORECASE)
_DECIMAL_SERIAL = re.compile(r"[0-9]{6,49}")
_SHORTEST_COMMIT, _LONGEST_COMMIT = 7, 64
_FINGERPRINTS = (40, 64)
_SHORTEST_SERIAL, _LONGEST_SERIAL = 6, 40

WORDS: dict[Kind, str] = {
    "reference": N_("request"),
    "network": N_("address or network"),
    "port": N_("port"),
    "host": N_("host name"),
    "serial": N_("serial number"),
    "fingerprint": N_("fingerprint"),
    "commit": N_("commit"),
    "account": N_("account"),
    "name": N_("group, role or name"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the text may mean. Networks and ports have a range; a commit may be the beginning of one."""

    kind: Kind
    value: str
    first: str = ""
    last: str = ""
    #: Wider networks that hold this one, as they are written in the index.
    wider: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a text may mean; with a port beside an address both must hold."""

    text: str
    questions: tuple[Question, ...]
    port: Question | None = None


def read_question(text: str) -> Asked:
    """What the text may mean. Raises FieldError with a sentence for one that can mean nothing."""
    typed = " ".join(text.split())
    if not typed or len(typed) > LONGEST or not typed.isprintable():
        raise FieldError(
            "q",
            _("Type an address, a network, a port, a host name, a serial number, an account or a reference."),
        )
    together = _WITH_PORT.fullmatch(typed)
    if together and not _PAIRS.fullmatch(typed) and not _is_network(typed):
        place = together[1].strip("[]")
        if _is_network(place) or _HOST.fullmatch(place):
            port = _port(together[2])
            return Asked(typed, tuple(_meanings(place)), port)
    return Asked(typed, tuple(_meanings(typed)))


def network_question(network: Network) -> Question:
    """A network as the index holds it, with every wider one that it lies in."""
    first, last = int(network.network_address), int(network.broadcast_address)
    digits = network.max_prefixlen // 4

    def written(address: int, prefix: int) -> str:
        return f"{network.version}:{address:0{digits}x}/{prefix}"

    masks = (
        (1 << network.max_prefixlen) - (1 << (network.max_prefixlen - p))
        for p in range(network.prefixlen + 1)
    )
    return Question(
        "network",
        written(first, network.prefixlen),
        f"{network.version}{first:0{digits}x}",
        f"{network.version}{last:0{digits}x}",
        tuple(written(first & mask, prefix) for prefix, mask in enumerate(masks)),
    )


def port_question(first: int, last: int) -> Question:
    """A range of ports as the index holds it."""
    return Question("port", f"{first}-{last}", f"{first:05d}", f"{last:05d}")


def serial_of(text: str) -> str:
    """A serial number in its one form: hexadecimal, lower case, without colons and leading zeros."""
    return text.lower().replace(":", "").removeprefix("0x").lstrip("0") or "0"


def fingerprint_of(text: str) -> str:
    """A fingerprint in its one form: hexadecimal without colons, or OpenSSH's with SHA256: before it."""
    if text.startswith("SHA256:"):
        return text.rstrip("=")
    return text.lower().replace(":", "").removeprefix("sha256")


def _meanings(text: str) -> Iterator[Question]:
    if _REFERENCE.fullmatch(text):
        yield Question("reference", text.upper())
        return
    if _is_network(text) and not _PAIRS.fullmatch(text):
        try:
            yield network_question(parse_network(text))
        except ValueError as error:
            raise FieldError("q", f"{error}") from error
        return
    found = _PORT.fullmatch(text)
    if found and "-" in found[1] or found and int(found[1]) <= 65_535:  # noqa: PLR2004, RUF021  (the last port)
        yield _port(found[1])
    yield from _machine_names(text)
    if _HOST.fullmatch(text):
        yield Question("host", text.casefold())
    yield Question("account", text.casefold())
    yield Question("name", text.casefold())


def _machine_names(text: str) -> Iterator[Question]:
    if _OPENSSH.fullmatch(text):
        yield Question("fingerprint", fingerprint_of(text))
        return
    plain = text.lower().removeprefix("sha256:").removeprefix("0x").replace(":", "")
    if not _HEX.fullmatch(plain) or (
        ":" in text and not _PAIRS.fullmatch(text.lower().removeprefix("sha256:"))
    ):
        return
    if len(plain) in _FINGERPRINTS:
        yield Question("fingerprint", plain)
    if _SHORTEST_SERIAL <= len(plain) <= _LONGEST_SERIAL:
        yield Question("serial", serial_of(plain))
    if _DECIMAL_SERIAL.fullmatch(text):
        yield Question("serial", f"{int(text):x}")
    if _SHORTEST_COMMIT <= len(plain) <= _LONGEST_COMMIT and ":" not in text:
        yield Question("commit", plain, plain, plain + "g")


def _is_network(text: str) -> bool:
    return bool(_NETWORK.fullmatch(text))


def _port(text: str) -> Question:
    try:
        ((first, last),) = parse_ports(text)
    except ValueError as error:
        raise FieldError("q", f"{error}") from error
    return port_question(first, last)
