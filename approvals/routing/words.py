"""How people are related to a request, in words: why they are asked, in every language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.offerings.language import OfferingDocument
from portal.core.language import N_, Said, every_language, say, spoken

#: A superior's relation to a party of the request.
SUPERIOR_OF: Mapping[str, str] = {
    "line-manager:beneficiary": N_("line manager of the beneficiary"),
    "line-manager:requester": N_("line manager of the requester"),
    "manager-of-manager:beneficiary": N_("manager of the line manager of the beneficiary"),
    "manager-of-manager:requester": N_("manager of the line manager of the requester"),
    "unit-head:beneficiary": N_("head of the unit of the beneficiary"),
    "unit-head:requester": N_("head of the unit of the requester"),
}


def superior(rule: str) -> Said:
    """The relation of whoever this rule means. Raises KeyError for a rule of another kind."""
    return say(SUPERIOR_OF[rule])


def member(group: str) -> Said:
    """The relation of a group's members."""
    return say("member of %(group)s", group=group)


def owner(what: str) -> Said:
    """The relation of whoever answers for a group or an asset."""
    return say("owner of %(group)s", group=what)


def owners(asset: str, group: str) -> Said:
    """The relation of the members of a group that owns an asset."""
    return say("owner of %(asset)s, as member of %(group)s", asset=asset, group=group)


def named() -> Said:
    """The relation of a person whom an answer names."""
    return say("named in the request")


def on_duty(rota: str) -> Said:
    """The relation of the people of a rota."""
    return say("on duty in %(rota)s", rota=rota)


#: Whom a rule means, by its kind, and where it gives no name.
_DESCRIBED: Mapping[str, str] = {
    "group": N_("member of the group %(name)s"),
    "group-owner": N_("owner of the group %(name)s"),
    "asset-owner": N_("owner of %(name)s"),
    "person": N_("the person named in the request"),
    "named": N_("the person named in the request"),
    "rota": N_("on duty in %(name)s"),
}
_NAMELESS: Mapping[str, str] = {
    "group": N_("member of the group that owns it, for none does"),
    "asset-owner": N_("owner of the asset, for none is named"),
}


def described(rule: str) -> Said:
    """Whom a rule means, where nobody was found who could be named instead."""
    kind, _, name = rule.partition(":")
    if not name and kind in _NAMELESS:
        return say(_NAMELESS[kind])
    return say(_DESCRIBED[kind], name=name) if kind in _DESCRIBED else superior(rule)


def joined(sentences: Sequence[str]) -> Said:
    """Sentences after each other, in every language."""
    return every_language(lambda: " ".join(str(spoken(sentence)) for sentence in sentences))


def in_every_language(document: OfferingDocument, text: str) -> Said:
    """A text of the offering in every language that it has."""
    return every_language(lambda: document.speak(text))
