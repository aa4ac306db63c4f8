"""First aid: whether a request is an emergency, and whether it stays within what may be done in one."""

from __future__ import annotations

from catalog.offerings.emergency import COMMITTEE
from catalog.offerings.facts import Facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.route import StepRule
from catalog.offerings.rules import kind_of
from portal.core.language import every_language, say


def is_emergency(document: OfferingDocument, facts: Facts) -> bool:
    """Whether a committee decides on this instead of the ordinary route. Facts need the kind."""
    return document.emergency is not None and kind_of(facts) == "emergency"


def may_run(document: OfferingDocument, step: StepRule, facts: Facts) -> bool:
    """Whether this step may be carried out at all: in an emergency only first aid is."""
    if document.emergency is None or not is_emergency(document, facts):
        return True
    return step.step in document.emergency.first_aid.steps


def beyond_first_aid(document: OfferingDocument, facts: Facts) -> str:
    """Why these answers ask for more than first aid, in a sentence; empty when they do not, or it is no emergency."""
    if document.emergency is None or not is_emergency(document, facts):
        return ""
    for name, allowed in document.emergency.first_aid.choices.items():
        given = facts["answers"][name]
        chosen = given if isinstance(given, list | tuple) else [given] if given else []
        field = document.find_field(name)
        for value in chosen:
            if str(value) not in allowed:
                return say(
                    "In an emergency only first aid is done, and “%(value)s” under “%(label)s” is none. "
                    "Ask for it in the usual way.",
                    value=value,
                    label=_spoken(document, field.label if field else name),
                )
    return ""


def _spoken(document: OfferingDocument, text: str) -> str:
    return every_language(lambda: document.speak(text))


def stage_question(document: OfferingDocument, slug: str) -> str:
    """What the offering has the people of this stage, or part of one, ask themselves; empty where it says nothing."""
    if slug == COMMITTEE and document.emergency is not None:
        return document.emergency.text or ""
    asks = (ask for stage in document.route.stages for ask in stage.asks)
    return next((ask.text for ask in asks if ask.slug == slug), "")
