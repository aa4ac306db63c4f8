"""What cannot be right about an emergency in an offering's text, beyond what its types say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.offerings.emergency import RESERVED, Emergency
from catalog.offerings.fields import OneOfField, SomeOfField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import Finding, choices_text, nearest


def emergency_findings(document: OfferingDocument) -> Iterator[Finding]:
    """Each thing that is missing, unknown or beyond what an emergency may be."""
    for i, stage in enumerate(document.route.stages):
        if stage.slug in RESERVED:
            yield Finding(
                ("route", "stages", i, "slug"), f"{stage.slug!r} is the portal's own stage; call it otherwise"
            )
    emergency = document.emergency
    if emergency is None:
        # Where only some requests are emergencies, the ordinary route may decide those too.
        if document.kind == "emergency":
            yield Finding(
                ("kind",),
                "an emergency is decided by a committee: say in emergency who that is and what first aid is",
            )
        return
    if not _may_be_one(document):
        yield Finding(("emergency",), "this is never an emergency; say kind: emergency, or leave it out")
    if not document.route.stages:
        yield Finding(
            ("route", "stages"), "say who would have approved in the usual way: they review the emergency"
        )
    if document.irreversible is not None:
        yield Finding(
            ("irreversible",), "an emergency that nobody reviews is undone, so it must be possible to undo it"
        )
    yield from _seats(document, emergency)
    yield from _first_aid(document, emergency)


def _may_be_one(document: OfferingDocument) -> bool:
    kinds = [document.kind] if isinstance(document.kind, str) else [rule.kind for rule in document.kind]
    return "emergency" in kinds


def _seats(document: OfferingDocument, emergency: Emergency) -> Iterator[Finding]:
    owned = {*document.resources, *(field.name for field in document.fields if field.kind == "asset")}
    for i, seat in enumerate(emergency.committee):
        name = seat.approvers.owner_of
        if name is not None and name not in owned:
            where = ("emergency", "committee", i, "approvers", "owner_of")
            yield Finding(where, f"there is no field with resources {name!r}{_hint(name, owned)}")


def _first_aid(document: OfferingDocument, emergency: Emergency) -> Iterator[Finding]:
    steps = {step.step for step in document.fulfilment}
    for i, step in enumerate(emergency.first_aid.steps):
        if step not in steps:
            yield Finding(
                ("emergency", "first_aid", "steps", i), f"there is no step {step!r}{_hint(step, steps)}"
            )
    fields = {field.name: field for field in document.fields if isinstance(field, OneOfField | SomeOfField)}
    for name, values in emergency.first_aid.choices.items():
        place = ("emergency", "first_aid", "choices", name)
        field = fields.get(name)
        if field is None:
            yield Finding(place, f"there is no field with choices {name!r}{_hint(name, fields)}")
            continue
        known = {choice.value for choice in field.choices}
        for i, value in enumerate(values):
            # Choices that are read from a target are not known here.
            if known and value not in known:
                yield Finding((*place, i), f"{value!r} cannot be chosen there{_hint(value, known)}")


def _hint(word: str, words: Iterable[str]) -> str:
    return nearest(word, words) or (f"; there is {choices_text(words)}" if words else "")
