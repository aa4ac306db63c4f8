"""What checking answers needs to know beside the document: the day, the people, and what targets offer."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.assets.register import NO_ASSETS, Assets, Register
from catalog.attachments.queries import kind_of_upload
from catalog.attachments.references import FileReference
from catalog.fulfilment.connectors.contract import Choice, Connector, ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.choice_cache import remembered
from catalog.offerings.facts import Held, PersonFacts, person_facts
from portal.identity.model import Group, Person, Unit

#: Lists of the portal itself, asked for as a connector's are.
PORTAL = "portal"
#: A longer list helps nobody to choose; people beyond it are found by typing their user name or mail address.
MOST_SUGGESTIONS = 500


class TargetProblem(Protocol):
    """What a connector finds wrong with answers: at which field, and whether it is only too wide."""

    @property
    def field(self) -> str:
        """The field's name."""
        ...

    @property
    def message(self) -> str:
        """A sentence for the person who typed the answer."""
        ...

    @property
    def severity(self) -> str:
        """`stop`, or `wide` for what an offering may let through."""
        ...


#: What a connector finds wrong with answers.
Judge = Callable[[Mapping[str, Any]], Sequence[TargetProblem]]


class People(Protocol):
    """Who may be named in a person field."""

    def find(self, text: str) -> Sequence[PersonFacts]:
        """Everybody whose user name, mail address or name this is; a user name or address finds one at most."""
        ...

    def suggestions(self) -> Sequence[PersonFacts]:
        """The people that a form suggests, by name."""
        ...


def _no_choices(_connector: str, _name: str) -> Sequence[Choice]:
    return ()


def _no_judgement(_connector: str, _answers: Mapping[str, Any]) -> Sequence[TargetProblem]:
    return ()


def _no_files(_file: FileReference) -> str | None:
    return None


def _nothing_held(_user_name: str) -> Held:
    return Held()


@dataclass(frozen=True)
class FormContext:
    """`today` is the actor's day. `choices` and `judge` ask targets and raise ConnectorError.

    `choices` may remember what a target said for a minute, `fresh_choices` never does. `held` says what a person,
    by user name, has already; `files` gives the kind of a file that the actor has uploaded, and None for any other.
    """

    actor: PersonFacts
    today: date
    people: People
    choices: Callable[[str, str], Sequence[Choice]] = _no_choices
    judge: Callable[[str, Mapping[str, Any]], Sequence[TargetProblem]] = _no_judgement
    held: Callable[[str], Held] = _nothing_held
    files: Callable[[FileReference], str | None] = _no_files
    assets: Assets = NO_ASSETS
    fresh_choices: Callable[[str, str], Sequence[Choice]] | None = None
    _read: dict[tuple[str, str, bool], Sequence[Choice] | ConnectorError] = field(
        default_factory=dict, compare=False, repr=False
    )

    def choices_once(self, connector: str, name: str, *, fresh: bool = False) -> Sequence[Choice]:
        """As `choices`, reading the target once for as long as this context lives; once more where `fresh`.

        A target that did not answer is not asked again either: a file of 500 orders is checked in one context.
        """
        fresh = fresh and self.fresh_choices is not None
        key = (connector, name, fresh)
        if key not in self._read:
            read = self.fresh_choices if fresh and self.fresh_choices is not None else self.choices
            try:
                self._read[key] = tuple(read(connector, name))
            except ConnectorError as error:
                self._read[key] = error
        answer = self._read[key]
        if isinstance(answer, ConnectorError):
            raise answer
        return answer


def _judge_of(connector: Connector) -> Judge:
    """The connector's way to check answers, which it offers beside its contract: with one reading for many, or each."""
    checker = getattr(connector, "checker", None)
    if checker is not None:
        many: Judge = checker()
        return many
    check: Judge | None = getattr(connector, "check", None)
    return check if check is not None else lambda _answers: ()


def context_for(
    session: Session,
    person: Person,
    connectors: Connectors,
    *,
    today: date,
    groups: tuple[str, ...] = (),
    held: Callable[[str], Held] = _nothing_held,
) -> FormContext:
    """The context of a person who fills a form in. The session is used for as long as the context is."""

    def fresh(connector: str, name: str) -> Sequence[Choice]:
        if connector == PORTAL:
            return portal_choices(session, name)
        return connectors.get(connector).choices(name)

    def choices(connector: str, name: str) -> Sequence[Choice]:
        if connector == PORTAL:
            return fresh(connector, name)
        return remembered(connectors, (connector, name), lambda: fresh(connector, name))

    judges: dict[str, Judge | ConnectorError] = {}

    def judge(connector: str, answers: Mapping[str, Any]) -> Sequence[TargetProblem]:
        if connector not in judges:
            try:
                judges[connector] = _judge_of(connectors.get(connector))
            except ConnectorError as error:
                judges[connector] = error
        found = judges[connector]
        if isinstance(found, ConnectorError):
            raise found
        return found(answers)

    return FormContext(
        actor=person_facts(person, groups=groups),
        today=today,
        people=Directory(session),
        choices=choices,
        judge=judge,
        held=held,
        files=lambda file: kind_of_upload(session, person.id, file),
        assets=Register(session),
        fresh_choices=fresh,
    )


def portal_choices(session: Session, name: str) -> Sequence[Choice]:
    """Every group, or every unit, by name; the value is the slug. One statement."""
    kind = Group if name == "groups" else Unit
    rows = session.execute(select(kind.slug, kind.name).order_by(kind.name, kind.slug)).all()
    return tuple(Choice(slug, label) for slug, label in rows)


class Directory:
    """The portal's own people; only those who are active."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._suggested: tuple[PersonFacts, ...] | None = None

    def find(self, text: str) -> Sequence[PersonFacts]:
        """By user name, else by mail address, else by name; case and spelling of accents do not matter."""
        for column in (Person.user_name, Person.email):
            people = self._people(column == text.casefold()) or self._people(column == text)
            if people:
                return people
        exact = self._people(Person.name == text)
        return exact or tuple(person for person in self.suggestions() if same_name(person.name, text))

    def suggestions(self) -> Sequence[PersonFacts]:
        """The first 500 by name, read once."""
        if self._suggested is None:
            self._suggested = self._people()
        return self._suggested

    def _people(self, *conditions: Any) -> tuple[PersonFacts, ...]:
        query = (
            select(Person)
            .where(Person.active, *conditions)
            .options(joinedload(Person.unit))
            .order_by(Person.name, Person.user_name)
            .limit(MOST_SUGGESTIONS)
        )
        return tuple(person_facts(person) for person in self._session.scalars(query))


def label_of(person: PersonFacts) -> str:
    """How a person field writes a person: `Rosa Requester (rosa.requester)`."""
    return f"{person.name} ({person.user_name})"


def same_name(left: str, right: str) -> bool:
    """Whether two names are spelt alike when case, accents and spacing are left aside."""
    return _plain(left) == _plain(right)


def nearest_people(text: str, people: Sequence[PersonFacts]) -> tuple[PersonFacts, ...]:
    """Up to two people whose names are most like this text."""
    by_name = {_plain(person.name): person for person in people}
    return tuple(by_name[name] for name in difflib.get_close_matches(_plain(text), by_name, n=2, cutoff=0.75))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
