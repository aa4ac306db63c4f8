"""The names behind the numbers by which entries name people."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.identity.model import Person


def names_of(session: Session, references: Iterable[str]) -> dict[str, str]:
    """The names behind "person:12"; one statement, and none for nobody."""
    ids = {int(one.removeprefix("person:")) for one in references if one.startswith("person:")}
    if not ids:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {f"person:{person_id}": name for person_id, name in rows}
