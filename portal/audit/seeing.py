"""What of the ledger an account may see, and which entries belong together. Requests stand above and fill this in."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from sqlalchemy import ColumnElement, Select, true
from sqlalchemy.orm import Session

from portal.audit.model import Entry
from portal.identity.actor import Actor


@runtime_checkable
class Subjects(Protocol):
    """What the ledger's pages need to know of requests."""

    def in_scope(self, actor: Actor) -> Select[Any]:
        """As a subquery: the subjects of entries that a limited auditor's account may see."""
        ...

    def belonging_to(self, session: Session, actor: Actor, reference: str) -> tuple[str, ...]:
        """The subjects of all entries that belong to the request of this reference."""
        ...


def visible(actor: Actor, subjects: Subjects) -> ColumnElement[bool]:
    """A condition on Entry: the actor may see it. True for everybody but a limited auditor's account."""
    if actor.audit is None or not actor.audit.limited:
        return true()
    return Entry.subject.in_(subjects.in_scope(actor))
