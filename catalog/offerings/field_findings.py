"""What is wrong with the fields of a form though their types are right: choices, limits that cross, defaults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from catalog.offerings.expression_checks import places
from catalog.offerings.fields import (
    Column,
    DateField,
    DateTimeField,
    DurationField,
    FormField,
    LongTextField,
    NumberField,
    OneOfField,
    SomeOfField,
    TableField,
    TextField,
)
from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import Finding, Path, nearest
from catalog.offerings.words import span_of


def field_findings(document: OfferingDocument) -> Iterator[Finding]:
    """Every finding of every field, and of the columns of tables."""
    for (path, _), field in zip(places(document), document.fields, strict=True):
        yield from _of_field(path, field)
        if isinstance(field, TableField):
            names = (((*path, "columns", i, "name"), column.name) for i, column in enumerate(field.columns))
            yield from repeated(names, "column")
            for i, column in enumerate(field.columns):
                yield from _of_column((*path, "columns", i), column)


def repeated(places: Iterable[tuple[Path, str]], what: str) -> Iterator[Finding]:
    """A finding for each name that stands at an earlier place too."""
    seen: Counter[str] = Counter()
    for path, name in places:
        seen[name] += 1
        if seen[name] > 1:
            yield Finding(path, f"there is a {what} {name!r} already; give each its own name")


def _of_column(path: Path, column: Column) -> Iterator[Finding]:
    yield from _of_field(path, column)
    if column.name == "count":
        yield Finding((*path, "name"), "count is the number of rows to rules; give the column another name")
    if column.show_when is not None:
        yield Finding((*path, "show_when"), "a column is always shown; say show_when at the table")
    if isinstance(column, OneOfField) and column.choices_from is not None:
        yield Finding((*path, "choices_from"), "a column has choices of its own; list them in choices")


def _of_field(path: Path, field: FormField | Column) -> Iterator[Finding]:
    if isinstance(field, OneOfField | SomeOfField):
        yield from _choices(path, field)
    if isinstance(field, NumberField) and field.whole and isinstance(field.default, float):
        yield Finding((*path, "default"), "this field takes whole numbers; give one, or say whole: false")
    for low, high in _limits(field):
        if _size(getattr(field, low)) > _size(getattr(field, high)):
            yield Finding((*path, low), f"{low} is more than {high}")


def _limits(field: FormField | Column) -> Iterator[tuple[str, str]]:
    """The names of limits that must not cross."""
    if isinstance(field, TextField | LongTextField | SomeOfField | TableField | DurationField):
        yield "at_least", "at_most"
    if isinstance(field, NumberField):
        yield "minimum", "maximum"
    if isinstance(field, DateField | DateTimeField):
        yield "earliest_days", "latest_days"


def _size(limit: Any) -> int:
    return span_of(limit) if isinstance(limit, str) else int(limit)


def _choices(path: Path, field: OneOfField | SomeOfField) -> Iterator[Finding]:
    if bool(field.choices) == (field.choices_from is not None):
        yield Finding(path, f"{field.name}: give either choices or choices_from")
    values = (((*path, "choices", i, "value"), c.value) for i, c in enumerate(field.choices))
    yield from repeated(values, "choice")
    known = {choice.value for choice in field.choices}
    given = (field.default,) if isinstance(field.default, str) else field.default or ()
    for value in given:
        if field.choices and value not in known:
            yield Finding((*path, "default"), f"there is no choice {value!r}{nearest(value, known)}")
