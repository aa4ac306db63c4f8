"""Names for what answers hold as keys: other people, units and groups, as whoever reads the answers calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from catalog.offerings.language import OfferingDocument
from portal.identity.model import Group, Person, Unit

#: By kind of field, what an answer names: the column that the answer holds, and the one that people read.
_NAMED = {
    "person": (Person.user_name, Person.name),
    "unit": (Unit.slug, Unit.name),
    "group": (Group.slug, Group.name),
}


def named_in(
    session: Session, document: OfferingDocument, answers: Mapping[str, Any], people: Iterable[Person] = ()
) -> dict[tuple[str, str], str]:
    """By kind and answer, how it is called; one statement at most, and none where `people` are all who are named."""
    called = {("person", person.user_name): f"{person.name} ({person.user_name})" for person in people}
    wanted: dict[str, set[str]] = {}
    for field in document.fields:
        answer = answers.get(field.name)
        for value in answer if isinstance(answer, list) else [answer]:
            if (
                field.kind in _NAMED
                and isinstance(value, str)
                and value
                and (field.kind, value) not in called
            ):
                wanted.setdefault(field.kind, set()).add(value)
    if not wanted:
        return called
    parts = [
        select(
            literal(kind).label("kind"), _NAMED[kind][0].label("key"), _NAMED[kind][1].label("name")
        ).where(_NAMED[kind][0].in_(values))
        for kind, values in wanted.items()
    ]
    for kind, key, name in session.execute(union_all(*parts)):
        called[kind, key] = f"{name} ({key})" if kind == "person" else name
    return called
