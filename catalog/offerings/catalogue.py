"""The catalogue as its pages show it: cards, and one offering told in full before anybody starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from catalog.offerings.language import OfferingDocument
from catalog.offerings.policy import Kind
from catalog.offerings.route import Approvers, StageRule
from catalog.offerings.search import plain, search
from catalog.offerings.words import MINUTES, minutes_of

_DRAWINGS = {"scim": "key", "entitlements": "key", "ca": "certificate", "firewall": "wall"}
_KINDS = {
    "standard": "Approved beforehand and carried out at once (standard change)",
    "normal": "Approved each time (normal change)",
    "emergency": "Approved fast by a committee and reviewed afterwards (emergency change)",
}
_RELATIONS = {
    "line-manager": "The line manager",
    "manager-of-manager": "The line manager's own manager",
    "unit-head": "The head of the unit",
}


@dataclass(frozen=True, slots=True)
class Times:
    """What past requests took, and by when one that is sent now is done at the latest, both in words or empty."""

    pace: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One offering in the catalogue. `promise` says by when it would be done; empty where that is not known."""

    slug: str
    name: str
    summary: str
    facts: tuple[str, ...]
    drawing: str
    promise: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """Offerings that belong together."""

    name: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class StageText:
    """One stage of the route in words."""

    name: str
    who: str
    when: str
    how_many: str
    time: str
    asks: str


@dataclass(frozen=True, slots=True)
class OfferingPage:
    """One offering in full."""

    slug: str
    name: str
    category: str
    summary: str
    paragraphs: tuple[str, ...]
    you_get: tuple[str, ...]
    you_need: tuple[str, ...]
    kind: str
    promise: str
    promised_by: str
    ends: str
    undone: str
    irreversible: str
    stages: tuple[StageText, ...]
    risk_reasons: tuple[str, ...]
    controls: tuple[tuple[str, str], ...]
    version: str
    digest: str


#: A catalogue with so few offerings is one list; headings over single cards would only part them.
FEW = 8


def categories_of(
    documents: Iterable[OfferingDocument], term: str = "", times: Mapping[str, Times] | None = None
) -> tuple[Category, ...]:
    """Without a term the offerings by category and name, few of them as one category; else the best matches first.

    `times` are by slug: what is known of how long it takes.
    """
    documents = search(documents, term)
    times = times or {}
    cards = [(document.category, card_of(document, times.get(document.slug))) for document in documents]
    if not cards:
        return ()
    if term or len(cards) <= FEW:
        title = "The best matches first" if term else "Services"
        in_order = cards if term else sorted(cards, key=lambda pair: plain(pair[0]))
        return (
            Category(
                title,
                tuple(replace(card, facts=(category, *card.facts)) for category, card in in_order),
            ),
        )
    by_category: dict[str, list[Card]] = {}
    for category, card in cards:
        by_category.setdefault(category, []).append(card)
    return tuple(Category(name, tuple(by_category[name])) for name in sorted(by_category, key=plain))


def card_of(document: OfferingDocument, times: Times | None = None) -> Card:
    """The offering's card, with what past requests took where there were enough."""
    times = times or Times()
    stages = document.route.stages
    always = sum(stage.when is None for stage in stages)
    joined = "or" if always == len(stages) - 1 else "to"
    count = str(always) if always == len(stages) else f"{always} {joined} {len(stages)}"
    approvals = f"{count} approval{'' if count == '1' else 's'}"
    return Card(
        document.slug,
        document.name,
        document.summary,
        (times.pace or f"About {time_text(document.target)}", approvals),
        _DRAWINGS.get(document.fulfilment[0].connector, "document"),
        f"Promised by {times.by}" if times.by else "",
    )


def page_of(
    document: OfferingDocument, *, number: int, group_names: Mapping[str, str], times: Times | None = None
) -> OfferingPage:
    """The offering's page. `group_names` are by slug; a group that is not there shows as its slug."""
    times = times or Times()
    return OfferingPage(
        slug=document.slug,
        name=document.name,
        category=document.category,
        summary=document.summary,
        paragraphs=tuple(
            " ".join(part.split()) for part in document.description.split("\n\n") if part.strip()
        ),
        you_get=document.you_get,
        you_need=document.you_need,
        kind=" ".join(_KINDS[kind] + "." for kind in _kinds_of(document)),
        promise=times.pace or f"About {time_text(document.target)} from submitting to done",
        promised_by=times.by,
        ends=_ends(document),
        undone=document.undone or "",
        irreversible=document.cannot_be_undone,
        stages=()
        if document.kind == "standard"
        else tuple(_stage(s, group_names) for s in document.route.stages),
        risk_reasons=tuple(reason.because for reason in document.risk.reasons),
        controls=tuple((framework, ", ".join(names)) for framework, names in document.controls.items()),
        version=f"Version {number}",
        digest=document.digest,
    )


def _kinds_of(document: OfferingDocument) -> tuple[Kind, ...]:
    if isinstance(document.kind, str):
        return (document.kind,)
    return tuple(dict.fromkeys(rule.kind for rule in document.kind))


def groups_named(document: OfferingDocument) -> frozenset[str]:
    """The slugs of the groups that the offering's page names."""
    approvers = [stage.approvers for stage in document.route.stages]
    return frozenset(
        slug for way in approvers for slug in (way.group, way.owner_of_group) if slug is not None
    )


def time_text(time: str) -> str:
    """A working time in words: `2 working days`, `90 working minutes`."""
    minutes = minutes_of(time)
    for letter, word in (("d", "day"), ("h", "hour"), ("m", "minute")):
        count, rest = divmod(minutes, MINUTES[letter])
        if count and not rest:
            return f"{count} working {word}{'' if count == 1 else 's'}"
    return f"{minutes} working minutes"


def _stage(stage: StageRule, group_names: Mapping[str, str]) -> StageText:
    everybody = stage.quorum == "all"
    return StageText(
        name=stage.name,
        who=_who(stage.approvers, group_names),
        when="" if stage.when is None else stage.when_says or "Where the answers ask for it",
        how_many="All of them agree"
        if everybody
        else "One agrees"
        if stage.quorum == 1
        else f"{stage.quorum} agree",
        time=f"Within {time_text(stage.target)}",
        asks=stage.text or "",
    )


def _who(approvers: Approvers, group_names: Mapping[str, str]) -> str:
    if approvers.relation is not None:
        of = "the person who receives it" if approvers.of == "beneficiary" else "the person who asks"
        return f"{_RELATIONS[approvers.relation]} of {of}"
    if approvers.group is not None:
        return f"The group {group_names.get(approvers.group, approvers.group)}"
    if approvers.owner_of_group is not None:
        return f"The owner of the group {group_names.get(approvers.owner_of_group, approvers.owner_of_group)}"
    return "The group that owns what is asked for"


def _ends(document: OfferingDocument) -> str:
    if document.ends is None:
        return "It has no end of its own."
    if document.ends.lasting is not None:
        return "By itself, when the time that you choose is over."
    most = f", at most {document.longest_days} days" if document.longest_days else ""
    if document.ends.date is not None:
        return f"By itself, at the end of the day that you choose{most}."
    return f"By itself, after the number of days that you ask for{most}."
