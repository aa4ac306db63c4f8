"""Who answers for something that was found: the group that would be asked if somebody ordered it today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from catalog.offerings.derived import find_resource
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of, published_versions
from catalog.offerings.route import FromAnswer


class Owners:
    """The owners by the offerings that are published; read once for many findings."""

    def __init__(self, documents: Iterable[OfferingDocument]) -> None:
        self._documents = tuple(documents)

    @classmethod
    def read(cls, session: Session) -> Owners:
        """By the offerings of now, in one statement."""
        return cls(document_of(version) for version in published_versions(session))

    def owner_of(self, connector: str, facts: Mapping[str, Any]) -> str:
        """The slug of a group; empty where no offering speaks of this connector.

        First whoever owns the resource that one of the facts names, then the first group in the route of an
        offering on this connector, then whoever answers for that offering.
        """
        fitting = [
            document
            for document in self._documents
            if any(step.connector == connector for step in document.fulfilment)
        ]
        texts = list(dict.fromkeys(_texts(facts)))
        for document in fitting:
            for name in _fields_of(document, connector):
                for text in texts:
                    resource = find_resource(document, name, text)
                    if resource is not None:
                        return resource.owner
        for document in fitting:
            for ask in document.route.asks:
                if ask.approvers.group:
                    return ask.approvers.group
        return fitting[0].owner if fitting else ""


def _fields_of(document: OfferingDocument, connector: str) -> Iterator[str]:
    for step in document.fulfilment:
        if step.connector == connector:
            for given in step.parameters.values():
                if isinstance(given, FromAnswer) and given.answer in document.resources:
                    yield given.answer


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
