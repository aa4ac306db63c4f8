"""Rules in people's words, in every language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.fulfilment.connectors.firewall.coverage import AlreadyAllowed
from catalog.fulfilment.connectors.firewall.policy import Policy
from catalog.fulfilment.connectors.firewall.rules import Rule
from portal.core import times
from portal.core.language import Said, _, every_language, ngettext, say, spoken
from portal.core.network_sets import address_count
from portal.core.networks import Network
from portal.core.ports import port_text
from portal.core.spans import size

_COUNTED_UP_TO = 10**9
_LONGEST_PORTS = 20


def sentence(rule: Rule) -> Said:
    """`TCP 443 from 10.1.2.0/24 (office) to 10.9.0.10/32 (dmz) until 2027-01-31 16:00 UTC`."""
    parts = {
        "what": f"{rule.protocol.upper()} {port_text(rule.ports)}".strip(),
        "sources": _listed(rule.sources),
        "source_zone": rule.source_zone,
        "destinations": _listed(rule.destinations),
        "destination_zone": rule.destination_zone,
    }
    if rule.ends_at is None:
        return say(
            "%(what)s from %(sources)s (%(source_zone)s) to %(destinations)s (%(destination_zone)s)", **parts
        )
    return say(
        "%(what)s from %(sources)s (%(source_zone)s) to %(destinations)s (%(destination_zone)s) until %(end)s",
        end=f"{rule.ends_at:%Y-%m-%d %H:%M} UTC",
        **parts,
    )


def subject(rule: Rule) -> str:
    """The rule in a commit's first line, short whatever it opens; commits are in English."""
    ports = port_text(rule.ports)
    if len(ports) > _LONGEST_PORTS:
        ports = f"{size(rule.ports)} ports"
    return f"{rule.protocol.upper()} {ports}".strip() + f" from {rule.source_zone} to {rule.destination_zone}"


def extent(rule: Rule) -> Said:
    """How much the rule opens, in numbers."""
    sides = {
        "sources": _addresses(address_count(rule.sources)),
        "destinations": _addresses(address_count(rule.destinations)),
    }
    if rule.protocol == "icmp":
        return say("%(sources)s can reach %(destinations)s", **sides)
    return say("%(sources)s can reach %(destinations)s on %(ports)s", ports=_ports(size(rule.ports)), **sides)


def overlap(allowed: AlreadyAllowed, policy: Policy) -> str:
    """What is open already, by which rules and until when; empty when nothing is."""
    by = named(allowed, policy)
    if allowed.answer == "yes":
        return say("This is already allowed by %(rules)s, so a new rule would change nothing", rules=by)
    if allowed.answer == "partly":
        return say("Part of this is already allowed by %(rules)s", rules=by)
    return ""


def hiding(references: Sequence[str], policy: Policy) -> str:
    """Which rules have nothing left to allow beside the new one, and until when they stand; empty for none."""
    if not references:
        return ""
    return say(
        "This hides %(rules)s: all that is allowed there passes by the new rule too, as long as it stands",
        rules=_list_of(references, policy),
    )


def with_full_stop(text: str) -> str:
    """A line of a plan as a sentence."""
    return every_language(lambda: f"{spoken(text)}.")


def named(allowed: AlreadyAllowed, policy: Policy) -> Said:
    """`SR-000100 (until 2027-01-31) and baseline-web-out`."""
    return _list_of(allowed.by, policy)


def _list_of(references: Iterable[str], policy: Policy) -> Said:
    rules = [policy.rules.get(reference) or policy.baseline[reference] for reference in references]
    return every_language(lambda: _(" and ").join(_named(rule) for rule in rules))


def _named(rule: Rule) -> str:
    if rule.ends_at is None:
        return rule.reference
    return _("%(reference)s (until %(day)s)", reference=rule.reference, day=f"{rule.ends_at:%Y-%m-%d}")


def _listed(networks: Iterable[Network]) -> str:
    return ", ".join(str(network) for network in networks)


def _addresses(count: int) -> Said:
    if count > _COUNTED_UP_TO:
        return every_language(lambda: _("more than %(count)s addresses", count=times.number(_COUNTED_UP_TO)))
    return every_language(
        lambda: ngettext("%(count)s address", "%(count)s addresses", count, count=times.number(count))
    )


def _ports(count: int) -> Said:
    return every_language(
        lambda: ngettext("%(count)s port", "%(count)s ports", count, count=times.number(count))
    )
