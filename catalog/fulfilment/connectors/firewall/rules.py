"""What a firewall rule and a zone are, and their one written form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from portal.core.networks import Network, collapse, parse_network
from portal.core.ports import parse_ports
from portal.core.spans import Span

Protocol = Literal["tcp", "udp", "icmp"]
PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "icmp")

#: The stamp on a rule in every rendered file. Nothing that a person typed may stand there: a comment
#: `x" ; … accept comment "y` was rendered as a live accept-all rule.
REFERENCE = re.compile(r"SR-[0-9]{6,12}")
BASELINE = re.compile(r"baseline-[a-z0-9]{1,20}(-[a-z0-9]{1,20}){0,3}")
_NO_REFERENCE = re.compile("")
PREVIEW = "SR-PREVIEW"
_LONGEST_LABEL = 60
#: Palo Alto allows 31 characters in a zone's name, Linux 15 in an interface's.
ZONE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
INTERFACE = re.compile(r"[a-z][a-z0-9.-]{0,14}")


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the network behind one interface of the firewall."""

    name: str
    label: str
    networks: tuple[Network, ...]
    interface: str

    @property
    def is_everything_else(self) -> bool:
        """Whether this is the internet: all that belongs to no other zone."""
        return any(network.prefixlen == 0 for network in self.networks)


@dataclass(frozen=True, slots=True)
class Rule:
    """One opening between two zones, in normal form: networks collapsed, ports merged, `ends_at` aware UTC.

    `reference` is the request's; empty in a preview, `baseline-…` for what was there before any request.
    """

    reference: str
    source_zone: str
    destination_zone: str
    sources: tuple[Network, ...]
    destinations: tuple[Network, ...]
    protocol: Protocol
    ports: tuple[Span, ...]
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        if not any(pattern.fullmatch(self.reference) for pattern in (REFERENCE, BASELINE, _NO_REFERENCE)):
            raise ValueError("The rule's reference is not a request's reference.")

    def versions(self) -> Iterator[int]:
        """The address families that have both a source and a destination: 4, 6 or both."""
        for version in (4, 6):
            if any(network.version == version for network in self.sources) and any(
                network.version == version for network in self.destinations
            ):
                yield version

    def ended(self, now: datetime) -> bool:
        """Whether the rule's time is over."""
        return self.ends_at is not None and self.ends_at <= now

    def to_document(self) -> dict[str, Any]:
        """The rule as JSON; `read_rule` reads it back unchanged."""
        return {
            "reference": self.reference,
            "source_zone": self.source_zone,
            "destination_zone": self.destination_zone,
            "sources": [str(network) for network in self.sources],
            "destinations": [str(network) for network in self.destinations],
            "protocol": self.protocol,
            "ports": [str(first) if first == last else f"{first}-{last}" for first, last in self.ports],
            "ends_at": None if self.ends_at is None else instant_text(self.ends_at),
        }


def instant_text(instant: datetime) -> str:
    """An aware time as `2027-01-31T16:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_rule(document: object) -> Rule:
    """The rule that `to_document` wrote.

    Raises ValueError for anything else, so that a rule file which somebody changed by hand is refused rather
    than guessed at.
    """
    fields = _mapping(document, set(Rule.__dataclass_fields__), "a rule")
    protocol = _text(fields["protocol"])
    if protocol not in PROTOCOLS:
        raise ValueError("The rule's protocol is none of tcp, udp and icmp.")
    rule = Rule(
        reference=_text(fields["reference"]),
        source_zone=_name(fields["source_zone"], ZONE_NAME),
        destination_zone=_name(fields["destination_zone"], ZONE_NAME),
        sources=_networks(fields["sources"]),
        destinations=_networks(fields["destinations"]),
        protocol=protocol,
        ports=parse_ports(",".join(_texts(fields["ports"]))) if fields["ports"] else (),
        ends_at=_instant(fields["ends_at"]),
    )
    if rule.to_document() != dict(fields):
        raise ValueError("The rule is not in its normal form.")
    if (rule.protocol == "icmp") == bool(rule.ports):
        raise ValueError("A rule for TCP or UDP names ports, and one for ICMP names none.")
    if not list(rule.versions()):
        raise ValueError("The rule has no source and destination of one address family.")
    return rule


def read_zone(name: object, document: object) -> Zone:
    """One zone of `policy/zones.yaml`. Raises ValueError."""
    fields = _mapping(document, {"label", "networks", "interface"}, "a zone")
    label = _text(fields["label"])
    if not label.isprintable() or not 1 <= len(label) <= _LONGEST_LABEL:
        raise ValueError("A zone's label has 1 to 60 printable characters.")
    return Zone(
        name=_name(name, ZONE_NAME),
        label=label,
        networks=_networks(fields["networks"]),
        interface=_name(fields["interface"], INTERFACE),
    )


def zone_document(zone: Zone) -> dict[str, Any]:
    """The zone as it stands in `policy/zones.yaml`, under its name."""
    return {
        "label": zone.label,
        "interface": zone.interface,
        "networks": [str(network) for network in zone.networks],
    }


def _mapping(value: object, keys: set[str], what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or set(value) != keys:
        raise ValueError(f"{what.capitalize()} has exactly the fields {', '.join(sorted(keys))}.")
    return cast("Mapping[str, object]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("A text is expected.")  # noqa: TRY004 - a wrong file, not a wrong call
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        raise ValueError("A list is expected.")  # noqa: TRY004 - a wrong file, not a wrong call
    return [_text(item) for item in value]


def _name(value: object, pattern: re.Pattern[str]) -> str:
    text = _text(value)
    if not pattern.fullmatch(text):
        raise ValueError("A name has lower-case letters, digits and hyphens, and starts with a letter.")
    return text


def _networks(value: object) -> tuple[Network, ...]:
    networks = tuple(parse_network(text) for text in _texts(value))
    if not networks or collapse(networks) != networks:
        raise ValueError("Networks are listed in order, without repeats, and at least one.")
    return networks


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    return datetime.strptime(_text(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
