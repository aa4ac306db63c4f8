"""The demonstration people, read from the organisation's YAML file; what sign-in does not need is passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from portal.core.errors import SettingsError

MAXIMUM_BYTES = 1024 * 1024
_REQUIRED = ("subject", "user_name", "name", "email")
_FALLBACK_ZONE = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One who may sign in. `subject` never changes; `user_name` and `email` may.

    `company` is the nearest unit above with a time zone of its own: a subsidiary, or the holding.
    """

    subject: str
    user_name: str
    name: str
    given_name: str
    family_name: str
    email: str
    unit: str
    company: str
    title: str
    zoneinfo: str
    locale: str
    active: bool
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation's name and its people, in the file's order."""

    name: str
    people: tuple[Person, ...]


def read_organisation(path: Path) -> Organisation:
    """The people in the file. Raises SettingsError with a sentence that names the file and the place."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"The people file {path} cannot be read: {error.strerror}."
        raise SettingsError(message) from error
    if len(raw) > MAXIMUM_BYTES:
        message = f"The people file {path} is larger than {MAXIMUM_BYTES} bytes."
        raise SettingsError(message)
    try:
        document = yaml.load(raw, Loader=yaml.CSafeLoader)  # the same as safe_load, eight times as fast
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"The people file {path} is not readable YAML: {' '.join(str(error).split())}"
        raise SettingsError(message) from error
    if (
        not isinstance(document, dict)
        or not isinstance(document.get("people"), list)
        or not document["people"]
    ):
        message = f"The people file {path} has no list of people; it needs the key 'people:' with at least one person."
        raise SettingsError(message)
    units = {str(unit.get("slug")): unit for unit in _rows(document, "units")}
    roles = _roles(document)
    people = tuple(
        _person(path, number, row, units, roles) for number, row in enumerate(document["people"], 1)
    )
    for field in ("subject", "user_name"):
        values = [getattr(person, field) for person in people]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            message = (
                f"The people file {path} gives the {field} {twice[0]!r} to two people; each needs its own."
            )
            raise SettingsError(message)
    return Organisation(str(document.get("organisation") or "Demonstration"), people)


def _person(
    path: Path,
    number: int,
    row: object,
    units: Mapping[str, Mapping[str, Any]],
    roles: Mapping[str, list[str]],
) -> Person:
    missing = [name for name in _REQUIRED if not isinstance(row, dict) or not isinstance(row.get(name), str)]
    if not isinstance(row, dict) or missing:
        message = f"Person {number} in {path} has no {missing[0]}; each needs {', '.join(_REQUIRED)}."
        raise SettingsError(message)
    unit = str(row.get("unit") or "")
    company, zone = _place(unit, units)
    return Person(
        subject=row["subject"],
        user_name=row["user_name"],
        name=row["name"],
        given_name=str(row.get("given_name") or ""),
        family_name=str(row.get("family_name") or ""),
        email=row["email"],
        unit=str(units.get(unit, {}).get("name") or unit),
        company=company,
        title=str(row.get("title") or ""),
        zoneinfo=str(row.get("timezone") or zone),
        locale=str(row.get("locale") or "en-GB"),
        active=row.get("active") is not False,
        roles=tuple(roles.get(row["user_name"], ())),
    )


def _place(unit: str, units: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    name, seen = unit, set[str]()
    while unit in units and unit not in seen:
        seen.add(unit)
        name = str(units[unit].get("name") or unit)
        if units[unit].get("timezone"):
            return name, str(units[unit]["timezone"])
        unit = str(units[unit].get("parent") or "")
    return name, _FALLBACK_ZONE


def _roles(document: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in _rows(document, "groups"):
        for member in group.get("members") or ():
            held = found.setdefault(str(member), [])
            held.extend(str(role) for role in group.get("roles") or () if str(role) not in held)
    return found


def _rows(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = document.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
