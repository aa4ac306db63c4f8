"""What is live on the firewall, for matching with the record of what was approved.

A rule is live as the policy's file says it. Where the rendered file or the kernel lets something else pass under its
name, its facts say so beside the rule, and differ from what was sealed. What no rule of the policy says is live
without a reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from catalog.fulfilment.connectors.contract import Json, Live
from catalog.fulfilment.connectors.firewall import wording
from catalog.fulfilment.connectors.firewall.place import Snapshot
from catalog.fulfilment.connectors.firewall.rendered import Opening, Rendering, openings_of
from catalog.fulfilment.connectors.firewall.rules import Rule
from portal.core.canonical import digest
from portal.core.language import Said, say
from portal.core.network_sets import networks_of
from portal.core.ports import port_text

#: How long the words of a foreign line may be, shown and kept.
_SHOWN, _KEPT = 200, 1_000
#: The fact that what passes under a rule's name is what the rule says.
AS_IT_STANDS: Mapping[str, str] = {"passes": "as the rule says"}


def everything(snapshot: Snapshot) -> Iterator[Live]:
    """Every rule of the policy by its request, and whatever else passes, each once."""
    places = {"rendered": snapshot.rendering}
    if snapshot.loaded is not None:
        places["kernel"] = snapshot.loaded
    policy = snapshot.policy
    for rule in policy.baseline.values():
        yield Live(_key(rule), wording.sentence(rule), _facts(rule, snapshot, places), "baseline")
    for rule in policy.rules.values():
        yield Live(_key(rule), wording.sentence(rule), _facts(rule, snapshot, places), rule.reference)
    known = set(policy.baseline) | set(policy.rules)
    for place, found in places.items():
        yield from _without_a_rule(place, found, known)


def _key(rule: Rule) -> str:
    return f"firewall:{rule.reference}"


def _facts(rule: Rule, snapshot: Snapshot, places: dict[str, Rendering]) -> Json:
    """The rule as its plan sealed it; and where something else passes under its name, what that is."""
    wanted = openings_of(rule, snapshot.policy.zones)
    other = []
    for place, found in places.items():
        there = found.openings.get(rule.reference, frozenset())
        if there != wanted:
            words = "; ".join(sorted(_words(opening) for opening in there))
            other.append(f"{place}: {words or 'nothing'}")
    return {**rule.to_document(), **({"passes": "; ".join(other)} if other else AS_IT_STANDS)}


def _without_a_rule(place: str, found: Rendering, known: set[str]) -> Iterator[Live]:
    for name in sorted(set(found.openings) - known):
        words = sorted(_words(opening) for opening in found.openings[name])
        yield Live(f"firewall:{place}:{name}", _said(place, name), {"chain": name, "passes": words})
    for line in sorted(set(found.foreign)):
        short = digest(line).removeprefix("sha256:")[:16]
        yield Live(f"firewall:{place}:{short}", _said(place, line[:_SHOWN]), {"line": line[:_KEPT]})


def _said(place: str, what: str) -> Said:
    if place == "kernel":
        return say("In the running firewall without a rule: %(what)s", what=what)
    return say("Rendered without a rule: %(what)s", what=what)


def _words(opening: Opening) -> str:
    """The opening in a few words for facts, the same whenever the opening is."""
    sources = ", ".join(str(network) for network in networks_of(opening.sources, opening.version))
    destinations = ", ".join(str(network) for network in networks_of(opening.destinations, opening.version))
    what = f"{opening.protocol} {port_text(opening.ports)}".strip()
    inward, outward = opening.interfaces
    return f"{what} from {sources} ({inward}) to {destinations} ({outward})"
