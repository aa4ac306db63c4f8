"""The organisation as a file describes it: units, people and groups, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from portal.core.text import clean_line
from portal.identity.permissions import ROLES

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class OrganisationError(Exception):
    """The file does not describe an organisation; `problems` are sentences, each with its place in the file."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=400)

    @field_validator("*", mode="after")
    @classmethod
    def _clean(cls, value: Any) -> Any:
        return clean_line(value) if isinstance(value, str) else value


class UnitLine(_Strict):
    """One unit; time zone and country are its parent's when they are left out."""

    slug: str = Field(pattern=SLUG, max_length=80)
    name: str = Field(min_length=1, max_length=200)
    parent: str = ""
    timezone: str = ""
    country: str = ""
    subdivision: str = ""
    head: str = ""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _zone(value)


class PersonLine(_Strict):
    """One person. `subject` is what the identity provider calls them for ever."""

    subject: str = Field(min_length=1, max_length=255)
    user_name: str = Field(min_length=1, max_length=120)
    name: str = Field(min_length=1, max_length=200)
    given_name: str = ""
    family_name: str = ""
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)
    unit: str
    manager: str = ""
    title: str = ""
    timezone: str = ""
    locale: str = "en"
    active: bool = True

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _zone(value)


class GroupLine(_Strict):
    """One group, its members and the portal roles that they have."""

    slug: str = Field(pattern=SLUG, max_length=80)
    name: str = Field(min_length=1, max_length=200)
    owner: str = ""
    members: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for role in value:
            if role not in ROLES:
                raise ValueError(_unknown("role", role, ROLES))
        return value


class Organisation(_Strict):
    """The whole file."""

    organisation: str = Field(min_length=1, max_length=200)
    units: tuple[UnitLine, ...] = Field(min_length=1)
    people: tuple[PersonLine, ...] = Field(min_length=1)
    groups: tuple[GroupLine, ...] = ()
    days_off: tuple[date, ...] = ()


def read_organisation(content: Any) -> Organisation:
    """The organisation in a file's content. Raises OrganisationError with every problem found."""
    if not isinstance(content, Mapping):
        raise OrganisationError(("The file must hold organisation, units, people and groups.",))
    try:
        read = Organisation.model_validate(content)
    except ValidationError as error:
        raise OrganisationError(tuple(_sentence(item) for item in error.errors())) from error
    problems = tuple(_broken_references(read))
    if problems:
        raise OrganisationError(problems)
    return read


def _broken_references(read: Organisation) -> Iterable[str]:
    units = [unit.slug for unit in read.units]
    people = [person.user_name for person in read.people]
    yield from _doubles("unit", units)
    yield from _doubles("user_name", people)
    yield from _doubles("subject", [person.subject for person in read.people])
    yield from _doubles("group", [group.slug for group in read.groups])
    for unit in read.units:
        if unit.parent and unit.parent not in units:
            yield f"units, {unit.slug}: {_unknown('parent', unit.parent, units)}"
        if unit.head and unit.head not in people:
            yield f"units, {unit.slug}: {_unknown('head', unit.head, people)}"
    for person in read.people:
        if person.unit not in units:
            yield f"people, {person.user_name}: {_unknown('unit', person.unit, units)}"
        if person.manager and person.manager not in people:
            yield f"people, {person.user_name}: {_unknown('manager', person.manager, people)}"
    for group in read.groups:
        for name in (*group.members, *([group.owner] if group.owner else [])):
            if name not in people:
                yield f"groups, {group.slug}: {_unknown('member', name, people)}"
    yield from _circles("manager", {person.user_name: person.manager for person in read.people})
    yield from _circles("parent", {unit.slug: unit.parent for unit in read.units})


def _circles(word: str, above: Mapping[str, str]) -> Iterable[str]:
    for start in above:
        here, steps = above[start], 0
        while here and here != start and steps <= len(above):
            here, steps = above.get(here, ""), steps + 1
        if here == start:
            yield f"{start} is their own {word}, directly or in a circle."


def _doubles(word: str, names: list[str]) -> Iterable[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"The {word} {name!r} stands there twice."


def _zone(value: str) -> str:
    if value and value not in available_timezones():
        raise ValueError(_unknown("time zone", value, available_timezones()))
    return value


def _unknown(word: str, value: str, known: Iterable[str]) -> str:
    near = get_close_matches(value, list(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {word} {value!r}.{hint}"


_LINES: dict[str, type[_Strict]] = {"units": UnitLine, "people": PersonLine, "groups": GroupLine}


def _sentence(item: Any) -> str:
    place = ", ".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        within = item["loc"][:-1]
        model = _LINES.get(str(within[0]), Organisation) if within else Organisation
        message = _unknown("key", str(item["loc"][-1]), model.model_fields)
    return f"{place}: {message}"
