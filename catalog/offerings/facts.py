"""Facts: the values that an offering's expressions read, for one set of answers and two people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any

from catalog.offerings.derived import EMPTY, Type, derive, find_resource
from catalog.offerings.field_records import plain
from catalog.offerings.fields import DurationField, OneOfField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.names import ASSET, Names, asset_field, names_of, type_of
from catalog.offerings.words import duration_text
from portal.core import times
from portal.identity.model import Person

#: A date that was not given.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What rules may know of a person. `unit` is the unit's slug."""

    user_name: str
    name: str
    email: str
    unit: str
    unit_name: str
    title: str
    #: The slugs of the person's groups, where they were read; they are for whoever asks.
    groups: tuple[str, ...] = ()
    timezone: str = "UTC"
    #: ISO 3166 country of the unit, optionally with a subdivision (DE, DE-BY).
    country: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a person has already, as `catalog.entitlements` records it; each of them as texts."""

    labels: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()


def person_facts(person: Person, *, groups: tuple[str, ...] = ()) -> PersonFacts:
    """The facts of a person; reads the person's unit."""
    return PersonFacts(
        groups=groups,
        timezone=person.timezone,
        country=person.unit.country,
        user_name=person.user_name,
        name=person.name,
        email=person.email,
        unit=person.unit.slug,
        unit_name=person.unit.name,
        title=person.title,
    )


class Facts(Mapping[str, Any]):
    """Read as JSON by name (`facts["answers"]["until"]`), and typed by expressions.

    The names are `answers`, `answered`, `derived`, `requester`, `beneficiary`, `unit` (the beneficiary's), `asset` (what
    the first asset field chose), `held`, `score`, `today` (an ISO date) and, once
    `catalog.offerings.rules.facts_for` has computed it, `risk`. In expressions a date is the timestamp of its
    first moment in UTC, so that `answers.until <= today + days(180)` compares whole days.
    """

    def __init__(self, document: OfferingDocument, content: Mapping[str, Any]) -> None:
        #: What decides is the text that was published, in whatever language it was answered.
        self.document = document.source
        self._content = dict(content)

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    @property
    def with_risk(self) -> bool:
        """Whether the risk has been computed."""
        return "risk" in self._content

    @cached_property
    def names(self) -> Names:
        """What expressions may name here."""
        return names_of(self.document, with_risk=self.with_risk, with_kind="kind" in self._content)

    @cached_property
    def values(self) -> dict[str, Any]:  # type: ignore[override]  # typed values are what expressions call values
        """Every name's typed value."""
        return {name: self._value(name, kind) for name, kind in self.names}

    def spoken(self) -> Facts:
        """The facts with what was chosen called as the language that is spoken calls it; for sentences, not for rules."""
        derived = dict(self._content["derived"])
        for field in self.document.fields:
            facts = derived[field.name]
            if isinstance(field, OneOfField) and field.choices:
                derived[field.name] = {**facts, "label": self.document.speak(facts["label"])}
            elif isinstance(field, DurationField) and facts["label"]:
                derived[field.name] = {**facts, "label": duration_text(self._content["answers"][field.name])}
        return Facts(self.document, {**self._content, "derived": derived})

    def _value(self, name: str, kind: Type) -> Any:
        found: Any = self._content
        for part in name.split("."):
            found = found[part]
        if kind == "timestamp":
            return timestamp(found) if found else NEVER
        if kind == "list":
            return [row_text(item) if isinstance(item, Mapping) else item for item in found]
        return float(found) if kind == "double" else found


def row_text(row: Mapping[str, Any]) -> str:
    """One row of a table in one line: its cells with ` · ` between them."""
    return " · ".join(str(cell) for cell in row.values() if cell not in (None, ""))


def timestamp(day: str) -> datetime:
    """The first moment of an ISO day, in UTC; or the very moment, where one is written."""
    if "T" in day:
        return datetime.fromisoformat(day).astimezone(UTC)
    return datetime.combine(date.fromisoformat(day), time(0), tzinfo=UTC)


def day_text(day: date) -> str:
    """The day as people write it: `3 January 2027`."""
    return times.day(day)


def gather(
    document: OfferingDocument,
    answers: Mapping[str, Any],
    *,
    requester: PersonFacts,
    beneficiary: PersonFacts,
    today: date,
    held: Held | None = None,
) -> Facts:
    """The facts without the risk. `answers` are checked answers; one that is missing counts as empty.

    `held` is what the beneficiary has already; nothing where it was not read.
    """
    document = document.source
    given: dict[str, Any] = {}
    answered: dict[str, bool] = {}
    derived: dict[str, dict[str, Any]] = {}
    for field in document.fields:
        answer = answers.get(field.name)
        answered[field.name] = answer not in (None, "", [], ())
        kind = type_of(field)
        given[field.name] = plain(answer) if answer is not None else EMPTY.get(kind)
        derived[field.name] = derive(document, field, answer)
    found = asset_field(document)
    chosen = answers.get(found.name) if found is not None else None
    return Facts(
        document,
        {
            "answers": given,
            "unit": {
                "slug": beneficiary.unit,
                "name": beneficiary.unit_name,
                "country": beneficiary.country,
            },
            "asset": {name: (chosen or {}).get(name, "") for name, _ in ASSET},
            "answered": answered,
            "derived": derived,
            "requester": _plain(requester),
            "beneficiary": {**_plain(beneficiary), "is_self": requester.user_name == beneficiary.user_name},
            "today": today.isoformat(),
            "held": _held(document, held or Held()),
            "score": score_of(document, answers),
        },
    )


_OF_A_PERSON = tuple(field.name for field in fields(PersonFacts))


def _plain(person: PersonFacts) -> dict[str, Any]:
    """The facts by name; `dataclasses.asdict` would copy them all, several times for each set of answers."""
    return {name: getattr(person, name) for name in _OF_A_PERSON}


def score_of(document: OfferingDocument, answers: Mapping[str, Any]) -> dict[str, int]:
    """The points of the choices that were made, the most there could be, and what that is in percent."""
    points = most = 0
    for field in document.fields:
        if isinstance(field, OneOfField) and any(choice.points is not None for choice in field.choices):
            most += max(choice.points or 0 for choice in field.choices)
            points += sum(c.points or 0 for c in field.choices if c.value == answers.get(field.name))
    return {"points": points, "most": most, "percent": points * 100 // most if most else 0}


def _held(document: OfferingDocument, held: Held) -> dict[str, list[str]]:
    found = (
        find_resource(document, name, value)
        for name in document.resources
        for value in dict.fromkeys((*held.values, *held.labels))
    )
    return {
        "labels": list(held.labels),
        "keys": list(held.keys),
        "values": list(held.values),
        "offerings": list(held.offerings),
        "resources": list(dict.fromkeys(resource.name for resource in found if resource is not None)),
    }
