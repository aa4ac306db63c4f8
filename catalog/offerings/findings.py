"""What the types of the language cannot say: names that must exist, expressions that must compile."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

import holidays
import re2

from catalog.offerings.controls import known_controls
from catalog.offerings.expression_checks import expression_findings, places
from catalog.offerings.fields import DateField, LongTextField, NumberField, OneOfField, SomeOfField, TextField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import Finding, Path, choices_text, nearest
from catalog.offerings.route import FromAnswer

TEXTS = {"text", "long_text"}


def findings_in(document: OfferingDocument) -> tuple[Finding, ...]:
    """Everything wrong with a document whose types are right."""
    repeated = tuple(_repeated(document))
    if repeated:
        return repeated  # names that stand for two things would make every later finding a guess
    return (
        *_references(document),
        *_fields(document),
        *_patterns(document),
        *_controls(document),
        *_calendar(document),
        *expression_findings(document),
    )


def _repeated(document: OfferingDocument) -> Iterator[Finding]:
    yield from _twice((((*path, "name"), name) for path, name in places(document)), "field")
    yield from _twice(
        ((("route", "stages", i, "slug"), x.slug) for i, x in enumerate(document.route.stages)), "stage"
    )
    yield from _twice(
        ((("fulfilment", i, "step"), x.step) for i, x in enumerate(document.fulfilment)), "step"
    )


def _twice(places: Iterable[tuple[Path, str]], what: str) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for path, name in places:
        seen[name] += 1
        if seen[name] > 1:
            yield Finding(path, f"there is a {what} {name!r} already; give each its own name")


def _references(document: OfferingDocument) -> Iterator[Finding]:
    every = {field.name for field in document.fields}
    for i, rule in enumerate(document.rules):
        yield from _field(("rules", i, "field"), rule.field, every)
    people = {field.name for field in document.fields if field.kind == "person"}
    yield from _field(("beneficiary",), document.beneficiary, people, "person field")
    texts = {field.name for field in document.fields if field.kind in TEXTS}
    yield from _field(("reason",), document.reason, texts, "text field")
    chosen = {field.name for field in document.fields if field.kind in {"one_of", "text"}}
    for name in document.resources:
        yield from _field(("resources", name), name, chosen, "field that one value is chosen in")
    if document.ends is not None:
        dates = {field.name for field in document.fields if field.kind == "date"}
        yield from _field(("ends", "date"), document.ends.date, dates, "date field")
    elif document.longest_days is not None:
        yield Finding(("longest_days",), "this has a longest duration, so say in ends when it ends")
    for i, stage in enumerate(document.route.stages):
        where: Path = ("route", "stages", i, "approvers", "owner_of")
        yield from _field(where, stage.approvers.owner_of, document.resources, "field with resources")
    for i, step in enumerate(document.fulfilment):
        for name, given in step.parameters.items():
            if isinstance(given, FromAnswer):
                yield from _field(("fulfilment", i, "with", name, "answer"), given.answer, every)
    for name in document.example:
        yield from _field(("example", name), name, every)


def _field(path: Path, name: str | None, known: Iterable[str], what: str = "field") -> Iterator[Finding]:
    words = set(known)
    if name is not None and name not in words:
        listed = nearest(name, words) or (f"; there is {choices_text(words)}" if words else "")
        yield Finding(path, f"there is no {what} {name!r}{listed}")


def _fields(document: OfferingDocument) -> Iterator[Finding]:
    for (path, _), field in zip(places(document), document.fields, strict=True):
        if isinstance(field, OneOfField | SomeOfField):
            if bool(field.choices) == (field.choices_from is not None):
                yield Finding(path, f"{field.name}: give either choices or choices_from")
            values = (((*path, "choices", i, "value"), c.value) for i, c in enumerate(field.choices))
            yield from _twice(values, "choice")
            known = {choice.value for choice in field.choices}
            given = (field.default,) if isinstance(field.default, str) else field.default or ()
            for value in given:
                if field.choices and value not in known:
                    yield Finding((*path, "default"), f"there is no choice {value!r}{nearest(value, known)}")
        if isinstance(field, TextField | LongTextField | SomeOfField) and field.at_least > field.at_most:
            yield Finding((*path, "at_least"), "at_least is more than at_most")
        if isinstance(field, NumberField) and field.minimum > field.maximum:
            yield Finding((*path, "minimum"), "minimum is more than maximum")
        if isinstance(field, NumberField) and field.whole and isinstance(field.default, float):
            yield Finding((*path, "default"), "this field takes whole numbers; give one, or say whole: false")
        if isinstance(field, DateField) and field.earliest_days > field.latest_days:
            yield Finding((*path, "earliest_days"), "earliest_days is more than latest_days")


def _patterns(document: OfferingDocument) -> Iterator[Finding]:
    for (path, _), field in zip(places(document), document.fields, strict=True):
        if isinstance(field, TextField) and field.pattern is not None:
            yield from _pattern((*path, "pattern"), field.pattern)
    for name, resources in document.resources.items():
        for i, resource in enumerate(resources):
            for v, value in enumerate(resource.values):
                yield from _pattern(("resources", name, i, "values", v), value)


def _pattern(path: Path, pattern: str) -> Iterator[Finding]:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0]
        text = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        yield Finding(path, f"this is no RE2 pattern: {text}")


def _controls(document: OfferingDocument) -> Iterator[Finding]:
    known = known_controls()
    for framework, identifiers in document.controls.items():
        if framework not in known:
            yield Finding(
                ("controls", framework),
                f"{framework!r} is no framework in controls.csv{nearest(framework, known)}",
            )
            continue
        for i, identifier in enumerate(identifiers):
            if identifier not in known[framework]:
                hint = nearest(identifier, known[framework])
                yield Finding(
                    ("controls", framework, i),
                    f"{identifier!r} is no control of {framework} in controls.csv{hint}",
                )


def _calendar(document: OfferingDocument) -> Iterator[Finding]:
    calendar = document.calendar
    if calendar.timezone != "approver" and calendar.timezone not in _time_zones():
        hint = nearest(calendar.timezone, {*_time_zones(), "approver"})
        yield Finding(("calendar", "timezone"), f"there is no time zone {calendar.timezone!r}{hint}")
    if calendar.country != "approver" and not _has_holidays(calendar.country):
        yield Finding(
            ("calendar", "country"),
            f"{calendar.country!r} is no country that holidays are known for; write ISO 3166 such as DE or DE-BY",
        )
    if not calendar.days:
        yield Finding(("calendar", "days"), "name at least one working day")


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _has_holidays(place: str) -> bool:
    country, _, part = place.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    return country in known and (not part or part in known[country])
