"""What a proposal would change, as the requester reads it: each question with the answer before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.offerings.language import OfferingDocument
from catalog.requests.answers import answer_lines
from portal.core.language import _

_EMPTY: tuple[Any, ...] = (None, "", [], ())


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """One question whose answer would change; texts are plain."""

    label: str
    before: str
    after: str


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """By field, both answers, where they differ; an answer that is empty is as good as none."""
    return {
        field: [before.get(field), after.get(field)]
        for field in dict.fromkeys((*before, *after))
        if before.get(field) != after.get(field)
        and not (before.get(field) in _EMPTY and after.get(field) in _EMPTY)
    }


def applied(answers: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The answers with the proposal in their place."""
    merged = {**answers, **{field: after for field, (_before, after) in changes.items()}}
    return {field: answer for field, answer in merged.items() if answer is not None or field in answers}


def difference_of(document: OfferingDocument, changes: Mapping[str, Any]) -> tuple[ChangedAnswer, ...]:
    """The changes in the form's order, as people read answers."""
    lines = []
    for field in document.fields:
        if field.name in changes:
            before, after = changes[field.name]
            lines.append(
                ChangedAnswer(
                    field.label, _text(document, field.name, before), _text(document, field.name, after)
                )
            )
    return tuple(lines)


def _text(document: OfferingDocument, field: str, answer: Any) -> str:
    lines = answer_lines(document, {field: answer})
    return lines[0].text if lines else _("no answer")
