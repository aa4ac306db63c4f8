"""Texts of others, and of the portal, that name a person in full: the name is found word for word, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.conversation.model import Remark
from approvals.decisions.model import Decision
from approvals.emergency.model import Reviewer
from approvals.routing.model import Stage, StageApprover
from catalog.entitlements.model import Entitlement
from catalog.requests.model import Request
from portal.audit.model import Entry, PersonalValue
from portal.core.database import Base
from portal.core.language import Said
from portal.identity.erased import name_of_erased
from portal.identity.model import Person
from portal.notifications.model import Message

#: Columns in which the portal or others write of people. Texts under a digest are not among them: they cannot change.
COLUMNS: tuple[tuple[type[Base], str], ...] = (
    (Request, "title"),
    (Request, "reason"),
    (Request, "baton"),
    (Request, "outcome"),
    (Stage, "because"),
    (StageApprover, "relation"),
    (Reviewer, "relation"),
    (Decision, "comment"),
    (Decision, "voided_because"),
    (Remark, "text"),
    (Remark, "reply"),
    (Entitlement, "end_reason"),
    (Message, "subject_line"),
    (Message, "text"),
    (Message, "html"),
)
#: A shorter name, such as a first name alone, would be found inside the names of others.
SHORTEST = 5


@dataclass(frozen=True, slots=True)
class Names:
    """How a person is called in texts."""

    person_id: int
    texts: tuple[str, ...]

    @classmethod
    def of(cls, person: Person) -> Names:
        """Their full name and mail address, where these are long enough to be theirs alone."""
        names = (person.name, escape(person.name), person.email)
        return cls(person.id, tuple(dict.fromkeys(text for text in names if len(text) >= SHORTEST)))

    def without(self, text: str) -> str:
        """The text with what is left of them in the place of their name, in every language that it is in."""
        if isinstance(text, Said):
            return Said({code: self._replaced(one) for code, one in text.languages.items()})
        return self._replaced(text)

    def stand_in(self, text: str) -> bool:
        """Whether the text names them, in any language."""
        texts = text.languages.values() if isinstance(text, Said) else (text,)
        return any(self._replaced(one) != one for one in texts)

    def _replaced(self, text: str) -> str:
        for name in self.texts:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", name_of_erased(self.person_id), text)
        return text


def texts_naming(session: Session, names: Names, held: set[int]) -> Iterator[tuple[Any, str]]:
    """Rows and columns that name them, but for those of requests on hold."""
    for model, column in COLUMNS:
        attribute = getattr(model, column)
        for text in names.texts:
            statement = select(model).where(attribute.contains(text, autoescape=True))
            for row in session.scalars(statement):
                request_id = row.id if isinstance(row, Request) else getattr(row, "request_id", None)
                if request_id not in held and names.stand_in(getattr(row, column)):
                    yield row, column


def values_naming(session: Session, names: Names, held: set[str]) -> set[tuple[int, str]]:
    """Personal values of entries that name them, whoever wrote them, but for those about requests on hold."""
    found: set[tuple[int, str]] = set()
    for text in names.texts:
        statement = (
            select(PersonalValue.entry_number, PersonalValue.field, PersonalValue.value, Entry.subject)
            .join(Entry, Entry.number == PersonalValue.entry_number)
            .where(PersonalValue.value.contains(text, autoescape=True))
        )
        for row in session.execute(statement):
            if row.subject not in held and names.stand_in(row.value):
                found.add((row.entry_number, row.field))
    return found
