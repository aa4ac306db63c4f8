"""Which columns a file for an offering has: a field each, named by its label or by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.offerings.fields import FormField, OneOfField, SomeOfField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.search import plain
from portal.core.errors import PortalError
from portal.core.language import N_, _

#: What no cell can hold.
_NOT_IN_CELLS = frozenset({"table", "file"})
_ACCEPTED = {
    "text": N_("One line of text"),
    "long_text": N_("Text; line breaks are kept"),
    "number": N_("Digits"),
    "boolean": N_("yes or no"),
    "one_of": N_("One of the choices"),
    "some_of": N_("One or more of the choices, with ; between them"),
    "date": N_("Year-month-day, such as 2027-03-31, or a date cell"),
    "date_time": N_("Year-month-day and time, such as 2027-03-31T14:00"),
    "duration": N_("A number with m, h or d, such as 30m, 8h or 2d"),
    "person": N_("A user name or mail address, or a name that only one person has"),
    "host_names": N_("Host names, with ; between them"),
    "networks": N_("Networks such as 10.1.2.0/24, with ; between them"),
    "ports": N_("Ports and ranges, such as 443, 8000-8010"),
    "csr": N_("The signing request as text"),
}
_SHOWN_CHOICES = 20


@dataclass(frozen=True, slots=True)
class Column:
    """One column, and what stands in it, for whoever fills the file in."""

    name: str
    label: str
    kind: str
    needed: bool
    accepted: str
    example: str


def columns_of(document: OfferingDocument) -> tuple[Column, ...]:
    """The columns, in the form's order."""
    return tuple(
        Column(
            field.name,
            field.label,
            field.kind,
            field.required and field.show_when is None,
            _accepted(field),
            field.example or "",
        )
        for field in document.fields
        if field.kind not in _NOT_IN_CELLS
    )


def takes_bulk(document: OfferingDocument) -> bool:
    """Whether the offering can be ordered from a file: nothing that no cell can hold is needed."""
    return not any(field.required for field in document.fields if field.kind in _NOT_IN_CELLS)


def columns_in(document: OfferingDocument, header: Sequence[str]) -> tuple[Column | None, ...]:
    """The column of each cell of the header, None for an empty one at the end.

    Raises PortalError that names every cell which is no column, every column that stands there twice, and every one
    that is needed and missing.
    """
    known = columns_of(document)
    by_word = {plain(word).strip(): column for column in known for word in (column.label, column.name)}
    found = [by_word.get(plain(cell).strip()) if cell.strip() else None for cell in header]
    problems = [
        _("“%(name)s” is not a column of this service.", name=cell.strip()[:60])
        for cell, column in zip(header, found, strict=True)
        if column is None and cell.strip()
    ]
    there = [column for column in found if column is not None]
    problems += [
        _("The column “%(name)s” stands there twice.", name=column.label)
        for column in dict.fromkeys(there)
        if there.count(column) > 1
    ]
    problems += [
        _("The column “%(name)s” is missing.", name=column.label)
        for column in known
        if column.needed and column not in there
    ]
    if problems:
        raise PortalError(
            _(
                "%(problems)s Take the template and fill it in without changing its first row.",
                problems=" ".join(problems[:10]),
            )
        )
    return tuple(found)


def _accepted(field: FormField) -> str:
    accepted = _ACCEPTED.get(field.kind, N_("As on the form"))
    text = _(accepted)
    if isinstance(field, OneOfField | SomeOfField) and field.choices:
        shown = ", ".join(choice.value for choice in field.choices[:_SHOWN_CHOICES])
        return _("%(what)s: %(choices)s", what=text, choices=shown)
    return text
