"""What the types of the language cannot say: names that must exist, expressions that must compile."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator
from functools import lru_cache

import holidays
import re2

from catalog.offerings.controls import known_controls
from catalog.offerings.emergency_findings import emergency_findings
from catalog.offerings.expression_checks import approvers_in, asking_in, expression_findings, places
from catalog.offerings.field_findings import field_findings, repeated
from catalog.offerings.fields import PersonField, TableField, TextField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.language_findings import language_findings
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
        *field_findings(document),
        *_patterns(document),
        *_controls(document),
        *_calendar(document),
        *emergency_findings(document),
        *expression_findings(document),
        *language_findings(document),
    )


def _repeated(document: OfferingDocument) -> Iterator[Finding]:
    yield from repeated((((*path, "name"), name) for path, name in places(document)), "field")
    yield from repeated((((*path, "slug"), rule.slug) for path, rule in asking_in(document)), "stage")
    yield from repeated(
        ((("fulfilment", i, "step"), x.step) for i, x in enumerate(document.fulfilment)), "step"
    )


def _references(document: OfferingDocument) -> Iterator[Finding]:
    every = {field.name for field in document.fields}
    for i, rule in enumerate(document.rules):
        yield from _field(("rules", i, "field"), rule.field, every)
    people = {field.name for field in document.fields if field.kind == "person"}
    yield from _field(("beneficiary",), document.beneficiary, people, "person field")
    for path, name in places(document):
        field = document.find_field(name)
        if isinstance(field, PersonField) and field.several and name != document.beneficiary:
            yield Finding((*path, "several"), "only the beneficiary's field may name several people")
    texts = {field.name for field in document.fields if field.kind in TEXTS}
    yield from _field(("reason",), document.reason, texts, "text field")
    chosen = {f.name for f in document.fields if f.kind in {"one_of", "text", "host_name", "group", "unit"}}
    for name in document.resources:
        yield from _field(("resources", name), name, chosen, "field that one value is chosen in")
    yield from _ends(document)
    yield from _policy(document, every, texts)
    owned = {*document.resources, *(field.name for field in document.fields if field.kind == "asset")}
    for where, approvers in approvers_in(document):
        yield from _field((*where, "owner_of"), approvers.owner_of, owned, "field with resources")
        yield from _field((*where, "person_in"), approvers.person_in, people, "person field")
    for i, step in enumerate(document.fulfilment):
        for name, given in step.parameters.items():
            if isinstance(given, FromAnswer):
                yield from _field(("fulfilment", i, "with", name, "answer"), given.answer, every)
    for name in document.example:
        yield from _field(("example", name), name, every)


def _ends(document: OfferingDocument) -> Iterator[Finding]:
    if document.ends is not None:
        dates = {field.name for field in document.fields if field.kind == "date"}
        yield from _field(("ends", "date"), document.ends.date, dates, "date field")
        lengths = {field.name for field in document.fields if field.kind == "duration"}
        yield from _field(("ends", "lasting"), document.ends.lasting, lengths, "duration field")
    elif document.longest_days is not None:
        yield Finding(("longest_days",), "this has a longest duration, so say in ends when it ends")


def _policy(document: OfferingDocument, every: set[str], texts: set[str]) -> Iterator[Finding]:
    moments = {field.name for field in document.fields if field.kind == "date_time"}
    yield from _field(("starts",), document.starts, moments, "date_time field")
    for i, name in enumerate(document.duplicates):
        yield from _field(("duplicates", i), name, every)
    for i, conflict in enumerate(document.conflicts):
        yield from _field(("conflicts", i, "field"), conflict.field, every)
    yield from _field(("rollback",), document.rollback, texts, "text field")
    if document.rollback_required is not None and document.rollback is None:
        yield Finding(("rollback_required",), "say in rollback which field holds the rollback plan")


def _field(path: Path, name: str | None, known: Iterable[str], what: str = "field") -> Iterator[Finding]:
    words = set(known)
    if name is not None and name not in words:
        listed = nearest(name, words) or (f"; there is {choices_text(words)}" if words else "")
        # Where the name is the key itself it is the key that is wrong.
        yield Finding(path, f"there is no {what} {name!r}{listed}", at_key=path[-1] == name)


def _patterns(document: OfferingDocument) -> Iterator[Finding]:
    for (path, _), field in zip(places(document), document.fields, strict=True):
        if isinstance(field, TextField) and field.pattern is not None:
            yield from _pattern((*path, "pattern"), field.pattern)
        for i, column in enumerate(field.columns if isinstance(field, TableField) else ()):
            if isinstance(column, TextField) and column.pattern is not None:
                yield from _pattern((*path, "columns", i, "pattern"), column.pattern)
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
    if document.window is not None and document.window.timezone not in _time_zones():
        hint = nearest(document.window.timezone, _time_zones())
        yield Finding(("window", "timezone"), f"there is no time zone {document.window.timezone!r}{hint}")
    for i, freeze in enumerate(document.freezes):
        if freeze.timezone not in _time_zones():
            hint = nearest(freeze.timezone, _time_zones())
            yield Finding(("freezes", i, "timezone"), f"there is no time zone {freeze.timezone!r}{hint}")
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
