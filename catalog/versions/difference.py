"""The difference between two texts of an offering: sentences by chapter, and the lines that differ."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from catalog.offerings.language import OfferingDocument
from catalog.versions.words import changed, value_words

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chapter:
    """What changes in one part of the offering."""

    title: str
    sentences: tuple[str, ...]


def difference(before: OfferingDocument, after: OfferingDocument) -> tuple[Chapter, ...]:
    """What changes from one document to the other, in plain words; nothing where they mean the same."""
    old = before.model_dump(mode="json", by_alias=True)
    new = after.model_dump(mode="json", by_alias=True)
    told = {key for _, keys, _ in _CHAPTERS for key in keys}
    rest = tuple(key for key in new if key not in told)
    chapters = []
    for title, keys, tell in (*_CHAPTERS, ("Everything else", rest, _tell_keys)):
        sentences = tuple(tell(_part(old, keys), _part(new, keys)))
        if sentences:
            chapters.append(Chapter(title, sentences))
    return tuple(chapters)


def unified(before: str, after: str, *, names: tuple[str, str]) -> str:
    """The lines that differ between two texts, with three lines around them."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), fromfile=names[0], tofile=names[1], lineterm=""
    )
    return "\n".join(lines)


def source_of(source: str, document: Json) -> str:
    """The text as it was written; the document as YAML where no text was kept."""
    return source or yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False)


def _part(document: Json, keys: Sequence[str]) -> dict[str, Any]:
    return {key: document.get(key) for key in keys}


def _tell_keys(old: Json, new: Json, subject: str = "") -> Iterator[str]:
    for key in new:
        if old.get(key) != new[key]:
            yield changed(subject, key, old.get(key), new[key])


def _tell_questions(old: Json, new: Json) -> Iterator[str]:
    before, after = (_fields(document["form"]) for document in (old, new))
    yield from _tell_items(
        {name: field for name, (field, _) in before.items()},
        {name: field for name, (field, _) in after.items()},
        lambda field: f"The question “{field['label']}”",
        _question_detail,
    )
    for name in before.keys() & after.keys():
        (field, old_place), (_, new_place) = before[name], after[name]
        if old_place != new_place:
            yield f"The question “{field['label']}” moves from the section “{old_place}” to “{new_place}”."
    old_sections = {section["title"]: section for section in old["form"]["sections"]}
    for section in new["form"]["sections"]:
        known = old_sections.get(section["title"])
        if known is not None:
            heads = [{k: v for k, v in one.items() if k != "fields"} for one in (known, section)]
            yield from _tell_keys(heads[0], heads[1], subject=f"The section “{section['title']}”")


def _fields(form: Json) -> dict[str, tuple[Json, str]]:
    return {
        field["name"]: (field, section["title"])
        for section in form["sections"]
        for field in section["fields"]
    }


def _question_detail(field: Json) -> str:
    words = "must be answered" if field.get("required") else "may be left out"
    asked = f", asked when {value_words(field['show_when'])}" if field.get("show_when") else ""
    return f"It {words}{asked}."


def _tell_items(
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    name: Callable[[Json], str],
    detail: Callable[[Json], str],
) -> Iterator[str]:
    """What is gone, what is new, what differs in what stayed, and whether its order changed."""
    for key, item in before.items():
        if key not in after:
            yield f"{name(item)} is removed."
    for key, item in after.items():
        if key not in before:
            yield f"{name(item)} is added. {detail(item)}".strip()
        else:
            yield from _tell_keys(before[key], item, subject=name(before[key]))
    stayed = [key for key in before if key in after]
    if stayed != [key for key in after if key in before]:
        yield f"The order is now: {', then '.join(name(item) for item in after.values())}."


def _by(items: Sequence[Json], *keys: str) -> dict[str, Json]:
    """Items by the first of these keys that is theirs alone, else by their place."""
    found: dict[str, Json] = {}
    for place, item in enumerate(items):
        words = " ".join(str(item.get(key)) for key in keys)
        found[words if words not in found else f"{words} ({place})"] = item
    return found


def _tell_rules(old: Json, new: Json) -> Iterator[str]:
    for key, what, names in (
        ("rules", "The rule", ("message",)),
        ("conflicts", "The conflict", ("message",)),
        ("denials", "The denial", ("message",)),
    ):
        yield from _tell_items(
            _by(old.get(key) or (), *names),
            _by(new.get(key) or (), *names),
            lambda item, what=what: f"{what} “{item['message']}”",  # type: ignore[misc]
            lambda item: f"It reads {value_words(item.get('check') or item.get('when'))}.",
        )
    yield from _tell_items(
        _by(old["checked_by"], "connector"),
        _by(new["checked_by"], "connector"),
        lambda item: f"The check of the answers by {item['connector']}",
        lambda item: "",
    )
    rest = ("audience", "duplicates", "rollback", "rollback_required", "longest_days")
    yield from _tell_keys(_part(old, rest), _part(new, rest))


def _tell_risk(old: Json, new: Json) -> Iterator[str]:
    yield from _tell_items(
        _by(old["risk"]["reasons"], "because"),
        _by(new["risk"]["reasons"], "because"),
        lambda item: f"The reason for risk “{item['because']}”",
        lambda item: f"It counts {item['points']} points when {value_words(item['when'])}.",
    )
    yield from _tell_keys(old["risk"]["levels"], new["risk"]["levels"], subject="Risk")


def _tell_route(old: Json, new: Json) -> Iterator[str]:
    before, after = ([_stage(stage) for stage in document["route"]["stages"]] for document in (old, new))
    yield from _tell_items(
        _by(before, "slug"),
        _by(after, "slug"),
        lambda item: f"The stage “{item['name']}”",
        lambda item: (
            f"Asked: {item['who decides']}; {item['quorum']} must agree within {item['target']}"
            + (f", when {value_words(item['when'])}." if item.get("when") else ".")
        ),
    )


def _stage(stage: Json) -> dict[str, Any]:
    way = {key: value for key, value in stage["approvers"].items() if value is not None}
    of = way.pop("of", "beneficiary")
    who = "; ".join(
        f"{value.replace('-', ' ')} of the {of}" if key == "relation" else f"{key.replace('_', ' ')} {value}"
        for key, value in way.items()
    )
    return {**{key: value for key, value in stage.items() if key != "approvers"}, "who decides": who}


def _tell_fulfilment(old: Json, new: Json) -> Iterator[str]:
    yield from _tell_items(
        _by(old["fulfilment"], "step"),
        _by(new["fulfilment"], "step"),
        lambda item: f"The step “{item['name']}”",
        lambda item: f"The connector {item['connector']} does “{item['action']}”.",
    )
    rest = ("ends", "undone", "irreversible", "window", "starts")
    yield from _tell_keys(_part(old, rest), _part(new, rest))


def _tell_calendar(old: Json, new: Json) -> Iterator[str]:
    yield from _tell_keys(old["calendar"], new["calendar"], subject="Calendar")
    yield from _tell_keys({"target": old["target"]}, {"target": new["target"]}, subject="The whole request")


def _tell_controls(old: Json, new: Json) -> Iterator[str]:
    before, after = old["controls"], new["controls"]
    for framework in dict.fromkeys((*before, *after)):
        gone = [one for one in before.get(framework, ()) if one not in after.get(framework, ())]
        added = [one for one in after.get(framework, ()) if one not in before.get(framework, ())]
        if gone:
            yield f"{framework}: it no longer supports {', '.join(gone)}."
        if added:
            yield f"{framework}: it now supports {', '.join(added)}."


def _tell_resources(old: Json, new: Json) -> Iterator[str]:
    before, after = old["resources"], new["resources"]
    for field in dict.fromkeys((*before, *after)):
        yield from _tell_items(
            _by(before.get(field, ()), "name"),
            _by(after.get(field, ()), "name"),
            lambda item, field=field: f"The owner of “{item['name']}” in {field}",  # type: ignore[misc]
            lambda item: f"{item['owner']} owns {value_words(item['values'])}.",
        )


Tell = Callable[[Json, Json], Iterator[str]]
_CHAPTERS: tuple[tuple[str, tuple[str, ...], Tell], ...] = (
    (
        "What the catalogue says",
        ("name", "summary", "description", "category", "keywords", "owner", "kind", "you_get", "you_need"),
        _tell_keys,
    ),
    ("Questions", ("form",), _tell_questions),
    (
        "Rules",
        (
            "rules",
            "conflicts",
            "denials",
            "checked_by",
            "audience",
            "duplicates",
            "rollback",
            "rollback_required",
            "longest_days",
        ),
        _tell_rules,
    ),
    ("Owners of what is chosen", ("resources",), _tell_resources),
    ("Risk", ("risk",), _tell_risk),
    ("Who decides", ("route",), _tell_route),
    ("How decisions are signed", ("signature",), _tell_keys),
    (
        "What is done, and how it ends",
        ("fulfilment", "ends", "undone", "irreversible", "window", "starts"),
        _tell_fulfilment,
    ),
    ("Time", ("calendar", "target"), _tell_calendar),
    ("Controls", ("controls",), _tell_controls),
)
