"""The catalogue as its pages show it: cards, and one offering told in full before anybody starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from catalog.offerings.language import OfferingDocument
from catalog.offerings.policy import Kind
from catalog.offerings.route import Approvers, Ask, StageRule
from catalog.offerings.search import plain, search
from catalog.offerings.words import MINUTES, minutes_of
from portal.core.language import N_, _, ngettext

_DRAWINGS = {"scim": "key", "entitlements": "key", "ca": "certificate", "firewall": "wall"}
_KINDS = {
    "standard": N_("Approved beforehand and carried out at once (standard change)."),
    "normal": N_("Approved each time (normal change)."),
    "emergency": N_("Approved fast by a committee and reviewed afterwards (emergency change)."),
}
_RELATIONS = {
    "line-manager:beneficiary": N_("The line manager of the person who receives it"),
    "line-manager:requester": N_("The line manager of the person who asks"),
    "manager-of-manager:beneficiary": N_("The line manager's own manager of the person who receives it"),
    "manager-of-manager:requester": N_("The line manager's own manager of the person who asks"),
    "unit-head:beneficiary": N_("The head of the unit of the person who receives it"),
    "unit-head:requester": N_("The head of the unit of the person who asks"),
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
    #: How many of them agree, and in what time.
    decides: str
    asks: str
    #: Whether others are asked at the same time.
    together: bool = False


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

    In the language that is spoken. `times` are by slug: what is known of how long it takes.
    """
    documents = search((document.spoken() for document in documents), term)
    times = times or {}
    cards = [(document.category, card_of(document, times.get(document.slug))) for document in documents]
    if not cards:
        return ()
    if term or len(cards) <= FEW:
        title = _("The best matches first") if term else _("Services")
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
    document = document.spoken()
    return Card(
        document.slug,
        document.name,
        document.summary,
        (
            times.pace or _("About %(time)s", time=time_text(document.target)),
            _approvals(document.route.stages),
        ),
        _DRAWINGS.get(document.fulfilment[0].connector, "document"),
        _("Promised by %(when)s", when=times.by) if times.by else "",
    )


def _approvals(stages: Sequence[StageRule]) -> str:
    """How many approvals it takes, from the least to the most."""
    least, most = sum(stage.when is None for stage in stages), len(stages)
    if least == most:
        return ngettext("%(number)s approval", "%(number)s approvals", most)
    if least == most - 1:
        return _("%(least)s or %(most)s approvals", least=least, most=most)
    return _("%(least)s to %(most)s approvals", least=least, most=most)


def page_of(
    document: OfferingDocument, *, number: int, group_names: Mapping[str, str], times: Times | None = None
) -> OfferingPage:
    """The offering's page. `group_names` are by slug; a group that is not there shows as its slug."""
    times = times or Times()
    document = document.spoken()
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
        kind=" ".join(_(_KINDS[kind]) for kind in _kinds_of(document)),
        promise=times.pace or _("About %(time)s from submitting to done", time=time_text(document.target)),
        promised_by=times.by,
        ends=_ends(document),
        undone=document.undone or "",
        irreversible=document.cannot_be_undone,
        stages=()
        if document.kind == "standard"
        else tuple(_stage(document, s, ask, group_names) for s in document.route.stages for ask in s.asks),
        risk_reasons=tuple(reason.because for reason in document.risk.reasons),
        controls=tuple((framework, ", ".join(names)) for framework, names in document.controls.items()),
        version=_("Version %(number)s", number=number),
        digest=document.digest,
    )


def _kinds_of(document: OfferingDocument) -> tuple[Kind, ...]:
    if isinstance(document.kind, str):
        return (document.kind,)
    return tuple(dict.fromkeys(rule.kind for rule in document.kind))


def groups_named(document: OfferingDocument) -> frozenset[str]:
    """The slugs of the groups that the offering's page names."""
    approvers = [ask.approvers for ask in document.route.asks]
    return frozenset(
        slug for way in approvers for slug in (way.group, way.owner_of_group) if slug is not None
    )


def time_text(time: str) -> str:
    """A working time in words: `2 working days`, `90 working minutes`."""
    return minutes_text(minutes_of(time))


def minutes_text(minutes: int) -> str:
    """Working minutes in words, as days or hours where they are whole ones."""
    if minutes and minutes % MINUTES["d"] == 0:
        return ngettext("%(number)s working day", "%(number)s working days", minutes // MINUTES["d"])
    if minutes and minutes % MINUTES["h"] == 0:
        return ngettext("%(number)s working hour", "%(number)s working hours", minutes // MINUTES["h"])
    return ngettext("%(number)s working minute", "%(number)s working minutes", minutes)


def _stage(
    document: OfferingDocument, stage: StageRule, ask: Ask, group_names: Mapping[str, str]
) -> StageText:
    # A part's own condition is narrower than its stage's.
    condition = next((rule for rule in (ask, stage) if rule.when is not None), None)
    says = "" if condition is None else condition.when_says or _("Where the answers ask for it")
    asset = document.find_field(ask.approvers.owner_of or "")
    return StageText(
        name=_("%(stage)s: %(part)s", stage=ask.part_of, part=ask.name) if ask.part_of else ask.name,
        who=_("Whoever owns what is named")
        if asset is not None and asset.kind == "asset"
        else _who(ask.approvers, group_names),
        when=says,
        decides=_decides(ask.quorum, minutes_text(ask.target_minutes)),
        asks=ask.text,
        together=len(stage.asks) > 1,
    )


def _decides(quorum: int | Literal["all"], time: str) -> str:
    if quorum == "all":
        return _("All of them agree within %(time)s", time=time)
    return ngettext("One agrees within %(time)s", "%(number)s agree within %(time)s", quorum, time=time)


def _who(approvers: Approvers, group_names: Mapping[str, str]) -> str:
    if approvers.relation is not None:
        return _(_RELATIONS[f"{approvers.relation}:{approvers.of}"])
    if approvers.group is not None:
        return _("The group %(group)s", group=group_names.get(approvers.group, approvers.group))
    if approvers.owner_of_group is not None:
        group = group_names.get(approvers.owner_of_group, approvers.owner_of_group)
        return _("The owner of the group %(group)s", group=group)
    if approvers.person_in is not None:
        return _("The person whom you name")
    if approvers.rota is not None:
        return _("Whoever is on duty in %(rota)s", rota=approvers.rota)
    return _("The group that owns what is asked for")


def _ends(document: OfferingDocument) -> str:
    if document.ends is None:
        return _("It has no end of its own.")
    if document.ends.lasting is not None:
        return _("By itself, when the time that you choose is over.")
    most = document.longest_days
    if document.ends.date is not None and most:
        return _("By itself, at the end of the day that you choose, at most %(days)s days.", days=most)
    if document.ends.date is not None:
        return _("By itself, at the end of the day that you choose.")
    if most:
        return _("By itself, after the number of days that you ask for, at most %(days)s days.", days=most)
    return _("By itself, after the number of days that you ask for.")
