"""Texts of an offering in other languages: which texts people read, and the document with each of them replaced.

The types say which texts those are (`catalog.offerings.words.ForPeople`), so that a new word of the language is
translated as soon as it has a type. A translation is found by the English text, as gettext finds one; how its white
space is broken into lines does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from catalog.offerings.problems import Path
from catalog.offerings.route import FromCel, StepRule
from catalog.offerings.words import ForPeople, Part
from portal.core.language import every_language

#: By connector, the parameters of its steps that people read.
STEP_TEXTS: Mapping[str, Mapping[str, ForPeople]] = {
    "manual": {
        "title": ForPeople("line"),
        "instructions": ForPeople("text"),
        "checklist": ForPeople("line"),
        "undo": ForPeople("text"),
    }
}
_SENTENCE = ForPeople("sentence")
AnyPart = TypeVar("AnyPart", bound=Part)
#: Gives the text that stands at this place from now on.
Visit = Callable[[Path, str, ForPeople], str]


@dataclass(frozen=True, slots=True)
class Written:
    """One text that people read, and where it stands."""

    path: Path
    text: str
    kind: str


def folded(text: str) -> str:
    """The text as translations are found by it."""
    return " ".join(text.split())


def said_alike(speaker: Callable[[], str]) -> str:
    """What the function gives in each language; a plain text where that is the same."""
    said = every_language(speaker)
    return said if any(text != said for text in said.languages.values()) else str(said)


def texts_in(document: Part) -> tuple[Written, ...]:
    """Every text of the document that people read, in the order of the language."""
    found: list[Written] = []

    def note(path: Path, text: str, mark: ForPeople) -> str:
        found.append(Written(path, text, mark.kind))
        return text

    rewritten(document, note)
    return tuple(found)


def rewritten(part: AnyPart, visit: Visit, path: Path = ()) -> AnyPart:
    """The part with every text that people read as `visit` gives it; the same one where nothing changes."""
    changes: dict[str, Any] = {}
    for name, key, mark in _marked(type(part)):
        before = getattr(part, name)
        if isinstance(part, StepRule) and name == "parameters":
            after = _parameters(part, visit, (*path, key))
        else:
            after = _value(before, visit, (*path, key), mark)
        if after is not before:
            changes[name] = after
    return part.model_copy(update=changes) if changes else part


def _value(value: Any, visit: Visit, path: Path, mark: ForPeople | None) -> Any:
    if isinstance(value, Part):
        return rewritten(value, visit, path)
    if isinstance(value, str):
        return visit(path, value, mark) if mark else value
    if isinstance(value, tuple):
        items = tuple(_value(item, visit, (*path, i), mark) for i, item in enumerate(value))
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        entries = {key: _value(item, visit, (*path, key), mark) for key, item in value.items()}
        return entries if any(entries[key] is not value[key] for key in value) else value
    return value


def _parameters(step: StepRule, visit: Visit, path: Path) -> dict[str, Any]:
    """A step's parameters are for machines, but for those that its connector hands to people."""
    given: dict[str, Any] = dict(step.parameters)
    for name, mark in STEP_TEXTS.get(step.connector, {}).items():
        value = given.get(name)
        if isinstance(value, FromCel):
            given[name] = FromCel(cel=visit((*path, name, "cel"), value.cel, _SENTENCE))
        elif value is not None:
            given[name] = _value(value, visit, (*path, name), mark)
    return given if given != step.parameters else step.parameters


@lru_cache(maxsize=256)
def _marked(kind: type[Part]) -> tuple[tuple[str, str, ForPeople | None], ...]:
    """The fields of a part of the language: name, key in the file, and the mark of their texts."""
    fields = []
    for name, field in kind.model_fields.items():
        marks = [entry for entry in field.metadata if isinstance(entry, ForPeople)]
        marks += _marks_in(field.annotation)
        fields.append((name, field.alias or name, marks[0] if marks else None))
    return tuple(fields)


def _marks_in(annotation: Any) -> Iterator[ForPeople]:
    if get_origin(annotation) is Annotated:
        yield from (entry for entry in annotation.__metadata__ if isinstance(entry, ForPeople))
    for inner in get_args(annotation):
        yield from _marks_in(inner)
