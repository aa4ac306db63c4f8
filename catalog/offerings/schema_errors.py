"""What the types refuse, in words for whoever writes offerings, with the nearest valid word."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import Finding, Path, choices_text, nearest

Location = tuple[int | str, ...]
_QUOTED = re.compile(r"'([^']*)'")
_SLUG = "write small letters, digits and hyphens, such as app-access"
_NAME = "write small letters, digits and underscores, such as source_zone"
_NEEDED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}


def findings_of(error: ValidationError, content: Any) -> Iterator[Finding]:
    """One finding for each place that the types refuse; `content` is what was validated."""
    every = error.errors(include_url=False)
    told: set[Path] = set()
    for details in every:
        location = tuple(details["loc"])
        path = _path_in(content, location)
        if details["type"] == "union_tag_invalid":
            path = (*path, "kind")
        misspelt = _misspelt_kind(details)
        if misspelt:
            told.add(path)
            yield Finding((*path, misspelt), f"there is no key {misspelt!r} here; did you mean 'kind'?")
            continue
        # What is missing has no place of its own, yet two missing keys of one mapping are two findings.
        place = (*path, location[-1]) if details["type"] == "missing" else path
        if place not in told and not _follows(details, every):
            told.add(place)
            yield Finding(path, _sentence(details, location), at_key=location[-1:] == ("[key]",))


def _misspelt_kind(details: Any) -> str:
    """The key that was meant to be `kind`, where a field has none; empty when there is no such key."""
    if details["type"] != "union_tag_not_found" or not isinstance(details["input"], dict):
        return ""
    return next((key for key in details["input"] if nearest(key, ("kind",))), "")


def _follows(details: Any, every: Sequence[Any]) -> bool:
    """Whether this is only what another finding brings about.

    A list whose items are refused counts as too short; a key that is misspelt is missing under its right name.
    """
    location = tuple(details["loc"])
    if details["type"] == "too_short":
        return any(
            len(other["loc"]) > len(location) and other["loc"][: len(location)] == location for other in every
        )
    if details["type"] == "missing":
        return any(
            other["type"] == "extra_forbidden"
            and other["loc"][:-1] == location[:-1]
            and f"{location[-1]!r}?" in nearest(str(other["loc"][-1]), words_at(location[:-1]))
            for other in every
        )
    return False


def _path_in(content: Any, location: Location) -> Path:
    """The location without the words that pydantic adds for the branches of a union."""
    path: list[int | str] = []
    for part in location:
        there = (
            content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
        )
        if part in there:
            content = content[part]
            path.append(part)
    return tuple(path)


def _sentence(details: Any, location: Location) -> str:
    kind, given = details["type"], details["input"]
    if kind in _NEEDED:
        return f"{_NEEDED[kind]} is needed here, and this is {_word_for(given)}{_cure(kind, given)}"
    told = _TOLD.get(kind)
    return told(details, location) if told else _plain(details["msg"])


def _extra(details: Any, location: Location) -> str:
    words = words_at(location[:-1])
    hint = nearest(str(location[-1]), words) or (
        f"; the keys here are {choices_text(words)}" if words else ""
    )
    return f"there is no key {location[-1]!r} here{hint}"


def _not_a_word(details: Any, location: Location) -> str:
    context = details["ctx"]
    words = set(_QUOTED.findall(context.get("expected") or context.get("expected_tags", "")))
    word = str(context.get("tag", details["input"]))[:80]
    return f"{word!r} is not known here{nearest(word, words) or f'; write {choices_text(words)}'}"


def _misspelt(details: Any, location: Location) -> str:
    return f"{str(details['input'])[:80]!r} is not allowed here; {_spelling(details['ctx']['pattern'])}"


_TOLD: Mapping[str, Callable[[Any, Location], str]] = {
    "extra_forbidden": _extra,
    "missing": lambda _, location: f"{location[-1]!r} is missing",
    "literal_error": _not_a_word,
    "union_tag_invalid": _not_a_word,
    "union_tag_not_found": lambda _, __: "'kind' is missing: say what kind of field this is",
    "string_pattern_mismatch": _misspelt,
    "value_error": lambda details, _: str(details["ctx"]["error"]),
}


def _spelling(pattern: str) -> str:
    if ":" in pattern:
        return "write working hours such as 09:00-17:00"
    return _SLUG if "(-" in pattern else _NAME


def _word_for(given: Any) -> str:
    if given is None:
        return "empty"
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, str):
        return f"the text {given[:40]!r}"
    if isinstance(given, int | float):
        return f"the number {given}"
    return "a list" if isinstance(given, list) else "a mapping"


def _cure(kind: str, given: Any) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return "; put quotes around it"
    if kind == "bool_type" and isinstance(given, str) and given.casefold() in {"yes", "no", "on", "off"}:
        return "; YAML 1.2 knows true and false only"
    return ""


def _plain(message: str) -> str:
    message = message.replace("Input should be", "this should be").replace(
        "String should have", "this should have"
    )
    message = message.replace("Tuple should have", "this list should have").replace(" after validation", "")
    return message.replace("Dictionary should have", "this should have")


def words_at(location: Location) -> set[str]:
    """The keys that the language takes at this location, empty where any key is taken."""
    kinds: list[Any] = [OfferingDocument]
    for part in location:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return {
        field.alias or name
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    }


def _inside(kind: Any, part: int | str) -> list[Any]:
    """What the types are one step further in; a tag of a union chooses among its members."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        found = [kind] if part in {kind.__name__, _tag_of(kind)} else []
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                found += _members(field.annotation)
        return found
    origin = typing.get_origin(kind)
    if origin is tuple and isinstance(part, int):
        return _members(typing.get_args(kind)[0])
    if origin is dict:
        return _members(typing.get_args(kind)[1])
    return []


def _members(kind: Any) -> list[Any]:
    """The members of a union without None; of an annotated type, the type, under the tag it carries."""
    if typing.get_origin(kind) is typing.Annotated:
        return _members(typing.get_args(kind)[0])
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        return [inner for member in typing.get_args(kind) for inner in _members(member)]
    return [] if kind is type(None) else [kind]


def _tag_of(model: type[BaseModel]) -> str:
    """The word by which pydantic names this member of a union: its kind, or the key that it is known by."""
    if "kind" in model.model_fields:
        return str(next(iter(typing.get_args(model.model_fields["kind"].annotation)), ""))
    first = next(iter(model.model_fields.items()))
    return first[1].alias or first[0]
