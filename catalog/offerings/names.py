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
#: Of the beneficiary's unit.
_UNIT: tuple[tuple[str, Type], ...] = (("slug", "string"), ("name", "string"), ("country", "string"))
#: Of what is chosen in the form's first asset field.
ASSET: tuple[tuple[str, Type], ...] = (
    ("id", "string"),
    ("name", "string"),
    ("kind", "string"),
    ("owner", "string"),
    ("owner_kind", "string"),
    ("criticality", "string"),
    ("zone", "string"),
    ("unit", "string"),
)
_TYPES: dict[str, Type] = {
    "boolean": "bool",
    "date": "timestamp",
    "date_time": "timestamp",
    "table": "list",
    "some_of": "list",
    "host_names": "list",
    "networks": "list",
    "file": "list",
}


#: What the beneficiary has already: what it is called, its connector's keys, the values in it, the offerings it
#: came from, and which of this offering's resources the values belong to.
_HELD: tuple[tuple[str, Type], ...] = (
    ("labels", "list"),
    ("keys", "list"),
    ("values", "list"),
    ("offerings", "list"),
    ("resources", "list"),
)


def type_of(field: FormField) -> Type:
    """The type of the field's answer in expressions."""
    if isinstance(field, NumberField):
        return "int" if field.whole else "double"
    return _TYPES.get(field.kind, "string")


def asset_field(document: OfferingDocument) -> FormField | None:
    """The field whose asset is `asset` in expressions: the form's first one; None where it asks for none."""
    return next((field for field in document.fields if field.kind == "asset"), None)


def names_of_requester() -> Names:
    """What is known of whoever looks at the catalogue: all that an audience may name."""
    return tuple((f"requester.{name}", kind) for name, kind in (*_PERSON, ("groups", "list")))


def names_of(document: OfferingDocument, *, with_risk: bool = True, with_kind: bool | None = None) -> Names:
    """Every name that the document's expressions may use; risk is unknown while risk itself is computed.

    So is the kind, while it is; where nothing is said, it is known as soon as the risk is.
    """
    names: list[tuple[str, Type]] = [("today", "timestamp")]
    names += names_of_requester()
    names += [(f"held.{name}", kind) for name, kind in _HELD]
    names += [("score.points", "int"), ("score.most", "int"), ("score.percent", "int")]
    names += [(f"beneficiary.{name}", kind) for name, kind in (*_PERSON, ("is_self", "bool"))]
    names += [(f"unit.{name}", kind) for name, kind in _UNIT]
    if asset_field(document) is not None:
        names += [(f"asset.{name}", kind) for name, kind in ASSET]
    for field in document.fields:
        names.append((f"answers.{field.name}", type_of(field)))
        names.append((f"answered.{field.name}", "bool"))
        names += [
            (f"derived.{field.name}.{fact}", kind)
            for fact, kind in derived_names(field, has_resources=field.name in document.resources).items()
        ]
    if with_risk:
        names += [("risk.level", "string"), ("risk.score", "int")]
    if with_risk if with_kind is None else with_kind:
        names.append(("kind", "string"))
    return tuple(names)
