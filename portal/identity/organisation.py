"""The organisation as a file describes it: units, people and groups, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from portal.core.text import clean_line
from portal.identity.permissions import ROLES

LONGEST_ABSENCE = timedelta(days=730)
_TIME = re.compile(r"[1-9][0-9]{0,4}[mhd]")
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


class CalendarLine(_Strict):
    """Weekdays and hours of work."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    hours: str = Field(
        default="", pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?$"
    )


class UnitLine(_Strict):
    """One unit; time zone and country are its parent's when they are left out."""

    slug: str = Field(pattern=SLUG, max_length=80)
    name: str = Field(min_length=1, max_length=200)
    parent: str = ""
    timezone: str = ""
    country: str = ""
    subdivision: str = ""
    head: str = ""
    #: Whom this unit asks where an offering names a group: {network-security: energia-network}.
    approver_groups: dict[str, str] = Field(default_factory=dict, max_length=200)
    #: When people work here, where an offering leaves it to them.
    calendar: CalendarLine | None = None
    #: How long stages may take here: {line-manager: 4h, firewall-rule/network-security: 2d}.
    targets: dict[str, str] = Field(default_factory=dict, max_length=200)
    days_off: tuple[date, ...] = ()

    @field_validator("targets")
    @classmethod
    def _working_times(cls, value: dict[str, str]) -> dict[str, str]:
        for time in value.values():
            working_minutes(time)
        return value

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


class AbsenceLine(_Strict):
    """Days on which somebody is away, both ends included."""

    person: str
    first_day: date = Field(alias="from")
    last_day: date = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if not self.first_day <= self.last_day <= self.first_day + LONGEST_ABSENCE:
            message = "an absence ends on or after its first day, and within two years"
            raise ValueError(message)
        return self


class Organisation(_Strict):
    """The whole file."""

    organisation: str = Field(min_length=1, max_length=200)
    units: tuple[UnitLine, ...] = Field(min_length=1)
    people: tuple[PersonLine, ...] = Field(min_length=1)
    groups: tuple[GroupLine, ...] = ()
    #: Days on which nobody works, beside the public holidays.
    days_off: tuple[date, ...] = ()
    absences: tuple[AbsenceLine, ...] = ()


def working_minutes(time: str) -> int:
    """Minutes of a working time such as `30m`, `8h` or `2d`, where a day has eight hours. Raises ValueError."""
    if not _TIME.fullmatch(time):
        message = (
            f"{time!r} is not a working time; write minutes, hours or working days such as 30m, 8h or 2d"
        )
        raise ValueError(message)
    return int(time[:-1]) * {"m": 1, "h": 60, "d": 480}[time[-1]]


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
    groups = [group.slug for group in read.groups]
    yield from _doubles("unit", units)
    yield from _doubles("user_name", people)
    yield from _doubles("subject", [person.subject for person in read.people])
    yield from _doubles("group", groups)
    for place, word, value, known in _references(read, units, people, groups):
        if value and value not in known:
            yield f"{place}: {_unknown(word, value, known)}"
    yield from _circles("manager", {person.user_name: person.manager for person in read.people})
    yield from _circles("parent", {unit.slug: unit.parent for unit in read.units})


def _references(
    read: Organisation, units: list[str], people: list[str], groups: list[str]
) -> Iterable[tuple[str, str, str, list[str]]]:
    """Every name that must be another line's: where it stands, what it means, the name, and those that there are."""
    for unit in read.units:
        yield f"units, {unit.slug}", "parent", unit.parent, units
        yield f"units, {unit.slug}", "head", unit.head, people
        for slug in unit.approver_groups.values():
            yield f"units, {unit.slug}, approver_groups", "group", slug, groups
    for person in read.people:
        yield f"people, {person.user_name}", "unit", person.unit, units
        yield f"people, {person.user_name}", "manager", person.manager, people
    for group in read.groups:
        for name in (*group.members, group.owner):
            yield f"groups, {group.slug}", "member", name, people
    for absence in read.absences:
        yield "absences", "person", absence.person, people


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


_LINES: dict[str, type[_Strict]] = {
    "units": UnitLine,
    "people": PersonLine,
    "groups": GroupLine,
    "absences": AbsenceLine,
}


def _sentence(item: Any) -> str:
    place = ", ".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        within = item["loc"][:-1]
        model = _LINES.get(str(within[0]), Organisation) if within else Organisation
        message = _unknown("key", str(item["loc"][-1]), model.model_fields)
    return f"{place}: {message}"
