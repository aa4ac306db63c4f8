"""The difference between two texts of an offering: sentences by chapter, and the lines that differ."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from catalog.offerings.language import OfferingDocument
from catalog.versions.items import Json, items_by, tell_items, tell_keys
from catalog.versions.words import value_words
from portal.core.language import LANGUAGES, N_, _


@dataclass(frozen=True, slots=True)
class Chapter:
    """What changes in one part of the offering."""

    title: str
    sentences: tuple[str, ...]


#: How what is done ends, and when it is done.
_ENDS_AND_TIMES = (
    "ends",
    "recertify",
    "undone",
    "irreversible",
    "window",
    "freezes",
    "passes_freezes",
    "affected",
    "starts",
)


def difference(before: OfferingDocument, after: OfferingDocument) -> tuple[Chapter, ...]:
    """What changes from one document to the other, in plain words; nothing where they mean the same."""
    old = before.model_dump(mode="json", by_alias=True)
    new = after.model_dump(mode="json", by_alias=True)
    told = {key for _, keys, _ in _CHAPTERS for key in keys}
    rest = tuple(key for key in new if key not in told)
    chapters = []
    for title, keys, tell in (*_CHAPTERS, (N_("Everything else"), rest, tell_keys)):
        sentences = tuple(tell(_part(old, keys), _part(new, keys)))
        if sentences:
            chapters.append(Chapter(_(title), sentences))
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


def _tell_questions(old: Json, new: Json) -> Iterator[str]:
    before, after = (_fields(document["form"]) for document in (old, new))
    yield from tell_items(
        {name: field for name, (field, _place) in before.items()},
        {name: field for name, (field, _place) in after.items()},
        lambda field: _("The question “%(label)s”", label=field["label"]),
        _question_detail,
    )
    for name in before.keys() & after.keys():
        (field, old_place), (_field, new_place) = before[name], after[name]
        if old_place != new_place:
            yield _(
                "The question “%(label)s” moves from the section “%(old)s” to “%(new)s”.",
                label=field["label"],
                old=old_place,
                new=new_place,
            )
    old_sections = {section["title"]: section for section in old["form"]["sections"]}
    for section in new["form"]["sections"]:
        known = old_sections.get(section["title"])
        if known is not None:
            heads = [{k: v for k, v in one.items() if k != "fields"} for one in (known, section)]
            yield from tell_keys(
                heads[0], heads[1], subject=_("The section “%(title)s”", title=section["title"])
            )


def _fields(form: Json) -> dict[str, tuple[Json, str]]:
    return {
        field["name"]: (field, section["title"])
        for section in form["sections"]
        for field in section["fields"]
    }


def _question_detail(field: Json) -> str:
    when = value_words(field["show_when"]) if field.get("show_when") else ""
    if field.get("required"):
        return (
            _("It must be answered, asked when %(when)s.", when=when) if when else _("It must be answered.")
        )
    return _("It may be left out, asked when %(when)s.", when=when) if when else _("It may be left out.")


def _tell_rules(old: Json, new: Json) -> Iterator[str]:
    for key, what, names in (
        ("rules", N_("The rule “%(text)s”"), ("message",)),
        ("conflicts", N_("The conflict “%(text)s”"), ("message",)),
        ("denials", N_("The denial “%(text)s”"), ("message",)),
    ):
        yield from tell_items(
            items_by(old.get(key) or (), *names),
            items_by(new.get(key) or (), *names),
            lambda item, what=what: _(what, text=item["message"]),  # type: ignore[misc]
            lambda item: _("It reads %(check)s.", check=value_words(item.get("check") or item.get("when"))),
        )
    yield from tell_items(
        items_by(old["checked_by"], "connector"),
        items_by(new["checked_by"], "connector"),
        lambda item: _("The check of the answers by %(connector)s", connector=item["connector"]),
        lambda item: "",
    )
    rest = ("audience", "duplicates", "rollback", "rollback_required", "longest_days")
    yield from tell_keys(_part(old, rest), _part(new, rest))


def _tell_risk(old: Json, new: Json) -> Iterator[str]:
    yield from tell_items(
        items_by(old["risk"]["reasons"], "because"),
        items_by(new["risk"]["reasons"], "because"),
        lambda item: _("The reason for risk “%(because)s”", because=item["because"]),
        lambda item: _(
            "It counts %(points)s points when %(when)s.",
            points=item["points"],
            when=value_words(item["when"]),
        ),
    )
    yield from tell_keys(old["risk"]["levels"], new["risk"]["levels"], subject=_("Risk"))


def _tell_route(old: Json, new: Json) -> Iterator[str]:
    before, after = ([_stage(stage) for stage in document["route"]["stages"]] for document in (old, new))
    yield from tell_items(
        items_by(before, "slug"),
        items_by(after, "slug"),
        lambda item: _("The stage “%(name)s”", name=item["name"]),
        _asked,
    )


def _asked(stage: Json) -> str:
    told = {"who": stage["who decides"], "quorum": stage["quorum"], "time": stage["target"]}
    if not stage.get("when"):
        return _("Asked: %(who)s; %(quorum)s must agree within %(time)s.", **told)
    when = value_words(stage["when"])
    return _("Asked: %(who)s; %(quorum)s must agree within %(time)s, when %(when)s.", **told, when=when)


def _stage(stage: Json) -> dict[str, Any]:
    asked = [stage["approvers"]] if stage["approvers"] else [part["approvers"] for part in stage["parts"]]
    rest = {key: value for key, value in stage.items() if key != "approvers"}
    return {**rest, "who decides": "; ".join(_who(approvers) for approvers in asked)}


def _who(approvers: Json) -> str:
    """In the words of the language that offerings are written in."""
    way = {key: value for key, value in approvers.items() if value is not None}
    of = way.pop("of", "beneficiary")
    return "; ".join(
        f"{value.replace('-', ' ')} of the {of}" if key == "relation" else f"{key.replace('_', ' ')} {value}"
        for key, value in way.items()
    )


def _tell_fulfilment(old: Json, new: Json) -> Iterator[str]:
    yield from tell_items(
        items_by(old["fulfilment"], "step"),
        items_by(new["fulfilment"], "step"),
        lambda item: _("The step “%(name)s”", name=item["name"]),
        lambda item: _(
            "The connector %(connector)s does “%(action)s”.",
            connector=item["connector"],
            action=item["action"],
        ),
    )
    rest = _ENDS_AND_TIMES
    yield from tell_keys(_part(old, rest), _part(new, rest))


def _tell_calendar(old: Json, new: Json) -> Iterator[str]:
    yield from tell_keys(old["calendar"], new["calendar"], subject=_("Calendar"))
    yield from tell_keys({"target": old["target"]}, {"target": new["target"]}, subject=_("The whole request"))


def _tell_controls(old: Json, new: Json) -> Iterator[str]:
    before, after = old["controls"], new["controls"]
    for framework in dict.fromkeys((*before, *after)):
        gone = [one for one in before.get(framework, ()) if one not in after.get(framework, ())]
        added = [one for one in after.get(framework, ()) if one not in before.get(framework, ())]
        if gone:
            yield _(
                "%(framework)s: it no longer supports %(controls)s.",
                framework=framework,
                controls=", ".join(gone),
            )
        if added:
            yield _(
                "%(framework)s: it now supports %(controls)s.",
                framework=framework,
                controls=", ".join(added),
            )


def _tell_resources(old: Json, new: Json) -> Iterator[str]:
    before, after = old["resources"], new["resources"]
    for field in dict.fromkeys((*before, *after)):
        yield from tell_items(
            items_by(before.get(field, ()), "name"),
            items_by(after.get(field, ()), "name"),
            lambda item, field=field: _(  # type: ignore[misc]
                "The owner of “%(name)s” in %(field)s", name=item["name"], field=field
            ),
            lambda item: _(
                "%(owner)s owns %(values)s.", owner=item["owner"], values=value_words(item["values"])
            ),
        )


def _tell_languages(old: Json, new: Json) -> Iterator[str]:
    before, after = old["languages"], new["languages"]
    for code in dict.fromkeys((*before, *after)):
        name, was, now = LANGUAGES[code], before.get(code, {}), after.get(code, {})
        for text in dict.fromkeys((*was, *now)):
            told = {"language": name, "text": value_words(text)}
            if text not in now:
                yield _("In %(language)s %(text)s is no longer translated.", **told)
            elif text not in was:
                yield _("In %(language)s %(text)s is now %(new)s.", **told, new=value_words(now[text]))
            elif was[text] != now[text]:
                yield _(
                    "In %(language)s %(text)s changes from %(old)s to %(new)s.",
                    **told,
                    old=value_words(was[text]),
                    new=value_words(now[text]),
                )


Tell = Callable[[Json, Json], Iterator[str]]
_CHAPTERS: tuple[tuple[str, tuple[str, ...], Tell], ...] = (
    (
        N_("What the catalogue says"),
        ("name", "summary", "description", "category", "keywords", "owner", "kind", "you_get", "you_need"),
        tell_keys,
    ),
    (N_("Questions"), ("form",), _tell_questions),
    (
        N_("Rules"),
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
    (N_("Owners of what is chosen"), ("resources",), _tell_resources),
    (N_("Risk"), ("risk",), _tell_risk),
    (N_("Who decides"), ("route",), _tell_route),
    ("How decisions are signed", ("signature",), tell_keys),
    (
        N_("What is done, and how it ends"),
        ("fulfilment", *_ENDS_AND_TIMES),
        _tell_fulfilment,
    ),
    (N_("Time"), ("calendar", "target"), _tell_calendar),
    (N_("Controls"), ("controls",), _tell_controls),
    (N_("Translations"), ("languages",), _tell_languages),
)
