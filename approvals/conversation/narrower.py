"""Whether one answer asks for less of the same than another: decided by the kind of its field, never by its risk.

What cannot be compared so (a choice, a text, a host, an asset, a start) has to stay as it is: an approver who could
exchange it would write the request that they then approve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.offerings.fields import Column, FormField, NumberField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.words import span_of
from portal.core.networks import inside, parse_network
from portal.core.ports import parse_ports
from portal.core.spans import subtract


def not_narrower(document: OfferingDocument, changes: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields among these changes that ask for something else or for more; the reason may always be rewritten."""
    fields = {field.name: field for field in document.fields}
    return tuple(
        name
        for name, (before, after) in changes.items()
        if name != document.reason
        and (name not in fields or not _is_narrower(document, fields[name], before, after))
    )


def _is_narrower(document: OfferingDocument, field: FormField, before: Any, after: Any) -> bool:
    if field.kind == "date":
        ends = document.ends is not None and document.ends.date == field.name
        # An end where none was asked for is less; another day may be a start, and earlier would be more.
        return ends and bool(after) and (not before or after <= before)
    if field.kind == "table":
        return bool(after) and _rows_are_fewer(field.columns, list(before or ()), after)
    if field.kind == "some_of":
        return set(after or ()) <= set(before or ())
    compare = _BY_KIND.get(field.kind)
    # Naming nothing may mean everything, so what is emptied or filled is not compared.
    return compare is not None and before not in _NOTHING and after not in _NOTHING and compare(before, after)


def _rows_are_fewer(
    columns: tuple[Column, ...], asked: list[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether each row stands for one of its own that was asked for, so that none of them is ordered twice."""
    for row in rows:
        place = next((n for n, one in enumerate(asked) if _row_is_narrower(columns, row, one)), None)
        if place is None:
            return False
        del asked[place]
    return True


def _row_is_narrower(columns: tuple[Column, ...], row: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return all(
        row.get(column.name) == asked.get(column.name)
        or (
            isinstance(column, NumberField)
            and None not in (row.get(column.name), asked.get(column.name))
            and row[column.name] <= asked[column.name]
        )
        for column in columns
    )


def _fewer_names(before: list[str], after: list[str]) -> bool:
    return set(after) <= set(before)


def _inside(before: list[str], after: list[str]) -> bool:
    asked = [parse_network(text) for text in before]
    return all(any(inside(parse_network(text), outer) for outer in asked) for text in after)


def _fewer_ports(before: str, after: str) -> bool:
    return not subtract(parse_ports(after), parse_ports(before))


_NOTHING: tuple[Any, ...] = (None, "", [])

_BY_KIND: Mapping[str, Callable[[Any, Any], bool]] = {
    "number": lambda before, after: after <= before,
    "duration": lambda before, after: span_of(after) <= span_of(before),
    "host_names": _fewer_names,
    "networks": _inside,
    "ports": _fewer_ports,
}
