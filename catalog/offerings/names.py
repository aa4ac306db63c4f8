"""The names that an offering's expressions may use, and their types.

Every field of the form gives `answers.<name>` and `answered.<name>` (whether it was answered); some kinds also
give facts derived from the answer, as `derived.<name>.<fact>`. A field that was not answered has an empty value:
"" or [] or 0 or false, and for a date the first of January 1970.
"""

from __future__ import annotations

from catalog.offerings.derived import Type, derived_names
from catalog.offerings.fields import FormField, NumberField
from catalog.offerings.language import OfferingDocument

#: Names and types, ordered, so that equal forms share one compiled environment.
Names = tuple[tuple[str, Type], ...]

_PERSON: tuple[tuple[str, Type], ...] = (
    ("user_name", "string"),
    ("name", "string"),
    ("email", "string"),
    ("unit", "string"),
    ("unit_name", "string"),
    ("title", "string"),
)
_TYPES: dict[str, Type] = {
    "boolean": "bool",
    "date": "timestamp",
    "some_of": "list",
    "host_names": "list",
    "networks": "list",
}


def type_of(field: FormField) -> Type:
    """The type of the field's answer in expressions."""
    if isinstance(field, NumberField):
        return "int" if field.whole else "double"
    return _TYPES.get(field.kind, "string")


def names_of(document: OfferingDocument, *, with_risk: bool = True) -> Names:
    """Every name that the document's expressions may use; risk is unknown while risk itself is computed."""
    names: list[tuple[str, Type]] = [("today", "timestamp")]
    names += [(f"requester.{name}", kind) for name, kind in _PERSON]
    names += [(f"beneficiary.{name}", kind) for name, kind in (*_PERSON, ("is_self", "bool"))]
    for field in document.fields:
        names.append((f"answers.{field.name}", type_of(field)))
        names.append((f"answered.{field.name}", "bool"))
        names += [
            (f"derived.{field.name}.{fact}", kind)
            for fact, kind in derived_names(field, has_resources=field.name in document.resources).items()
        ]
    if with_risk:
        names += [("risk.level", "string"), ("risk.score", "int")]
    return tuple(names)
