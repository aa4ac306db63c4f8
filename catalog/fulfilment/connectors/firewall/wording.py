"""Rules in people's words."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.fulfilment.connectors.firewall.coverage import AlreadyAllowed
from catalog.fulfilment.connectors.firewall.policy import Policy
from catalog.fulfilment.connectors.firewall.rules import Rule
from portal.core.networks import Network, address_count
from portal.core.ports import port_text
from portal.core.spans import size

_COUNTED_UP_TO = 10**9
_LONGEST_PORTS = 20


def sentence(rule: Rule) -> str:
    """`TCP 443 from 10.1.2.0/24 (office) to 10.9.0.10/32 (dmz) until 2027-01-31 16:00 UTC`."""
    what = f"{rule.protocol.upper()} {port_text(rule.ports)}".strip()
    until = "" if rule.ends_at is None else f" until {rule.ends_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{what} from {_listed(rule.sources)} ({rule.source_zone}) "
        f"to {_listed(rule.destinations)} ({rule.destination_zone}){until}"
    )


def subject(rule: Rule) -> str:
    """The rule in a commit's first line, short whatever it opens."""
    ports = port_text(rule.ports)
    if len(ports) > _LONGEST_PORTS:
        ports = f"{size(rule.ports)} ports"
    return f"{rule.protocol.upper()} {ports}".strip() + f" from {rule.source_zone} to {rule.destination_zone}"


def extent(rule: Rule) -> str:
    """How much the rule opens, in numbers."""
    ports = "" if rule.protocol == "icmp" else f" on {_number(size(rule.ports), 'port')}"
    return (
        f"{_number(address_count(rule.sources), 'address', 'es')} can reach "
        f"{_number(address_count(rule.destinations), 'address', 'es')}{ports}"
    )


def overlap(allowed: AlreadyAllowed, policy: Policy) -> str:
    """What is open already, by which rules and until when; empty when nothing is."""
    by = named(allowed, policy)
    if allowed.answer == "yes":
        return f"This is already allowed by {by}, so a new rule would change nothing"
    if allowed.answer == "partly":
        return f"Part of this is already allowed by {by}"
    return ""


def named(allowed: AlreadyAllowed, policy: Policy) -> str:
    """`SR-000100 (until 2027-01-31) and baseline-web-out`."""
    rules = [policy.rules.get(reference) or policy.baseline[reference] for reference in allowed.by]
    return " and ".join(
        rule.reference if rule.ends_at is None else f"{rule.reference} (until {rule.ends_at:%Y-%m-%d})"
        for rule in rules
    )


def _listed(networks: Iterable[Network]) -> str:
    return ", ".join(str(network) for network in networks)


def _number(count: int, noun: str, plural: str = "s") -> str:
    if count > _COUNTED_UP_TO:
        return f"more than {_COUNTED_UP_TO:,} {noun}{plural}"
    return f"{count:,} {noun}{'' if count == 1 else plural}"
