"""Reading a rota from a file: an iCalendar (.ics), or YAML with its shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from portal.core.strict_yaml import NotYaml, read_yaml
from portal.core.text import clean_line
from portal.identity.organisation import SLUG
from portal.identity.rotas.calendar_file import NotACalendar, read_calendar

#: What repeats is written down this far ahead; import the file again before it runs out.
AHEAD = timedelta(days=400)
LARGEST = 1024 * 1024
_LONGEST_NAME = 200


class RotaError(Exception):
    """The file does not describe a rota; `problems` are sentences, each with its place in the file."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Shift:
    """One duty (UTC). `names` are what the file calls its person: a user name, a name or mail addresses."""

    starts_at: datetime
    ends_at: datetime
    names: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class RotaFile:
    """One rota as its file describes it; `digest` is of the file's content."""

    slug: str
    name: str
    shifts: tuple[Shift, ...]
    digest: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=400, populate_by_name=True)

    person: str = Field(min_length=1, max_length=200)
    begins: str = Field(alias="from")
    ends: str = Field(alias="to")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=400)

    rota: str = Field(pattern=SLUG, max_length=80)
    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    timezone: str = "UTC"
    shifts: tuple[_Line, ...] = Field(min_length=1, max_length=20_000)

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = f"there is no time zone {value!r}"
            raise ValueError(message) from error
        return value


def read_rota(content: bytes, filename: str, *, now: datetime, slug: str = "", name: str = "") -> RotaFile:
    """The rota in the file. A calendar does not know its slug, so it is given, else its file's name is taken.

    Raises RotaError with every problem found.
    """
    if len(content) > LARGEST:
        raise RotaError((f"{filename}: a rota's file has at most {LARGEST // 1024} KiB",))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RotaError((f"{filename}: this file is not in UTF-8",)) from error
    digest = f"sha256:{sha256(content).hexdigest()}"
    if "BEGIN:VCALENDAR" in text[:200]:
        slug = slug or PurePath(filename).stem.lower()
        return _of_calendar(text, filename, now=now, slug=slug, name=name, digest=digest)
    return _of_yaml(content, filename, digest)


def _of_calendar(text: str, filename: str, *, now: datetime, slug: str, name: str, digest: str) -> RotaFile:
    try:
        called, happenings = read_calendar(text, until=now + AHEAD)
        title = clean_line(name or called or slug)[:_LONGEST_NAME]
    except NotACalendar as error:
        raise RotaError((f"{filename}:{error.line}: {error.message}",)) from error
    except ValueError as error:
        raise RotaError((f"{filename}: the calendar's name: {error}",)) from error
    shifts = tuple(
        Shift(one.starts_at, one.ends_at, one.attendees or (one.summary,), f"{filename}:{one.line}")
        for one in happenings
    )
    return _checked(RotaFile(slug, title, shifts, digest), filename)


def _of_yaml(content: bytes, filename: str, digest: str) -> RotaFile:
    try:
        file = read_yaml(content, largest=LARGEST)
        read = _File.model_validate(file.content)
    except NotYaml as error:
        raise RotaError((f"{filename}:{error.mark[0]}:{error.mark[1]}: {error.message}",)) from error
    except ValidationError as error:
        raise RotaError(
            tuple(f"{filename}: {_path(one['loc'])}: {one['msg']}" for one in error.errors(include_url=False))
        ) from error
    zone = ZoneInfo(read.timezone)
    shifts, problems = list[Shift](), list[str]()
    for i, line in enumerate(read.shifts):
        mark = file.values.get(("shifts", i), (0, 0))
        place = f"{filename}:{mark[0]}"
        try:
            begins, ends = (datetime.fromisoformat(text) for text in (line.begins, line.ends))
        except ValueError:
            problems.append(f"{place}: write moments such as 2027-01-04 08:00")
            continue
        starts_at, ends_at = (
            (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
            for moment in (begins, ends)
        )
        if ends_at <= starts_at:
            problems.append(f"{place}: this duty ends before it begins")
        shifts.append(Shift(starts_at, ends_at, (line.person,), place))
    if problems:
        raise RotaError(tuple(problems))
    return _checked(RotaFile(read.rota, clean_line(read.name), tuple(shifts), digest), filename)


def _checked(rota: RotaFile, filename: str) -> RotaFile:
    if not rota.shifts:
        raise RotaError((f"{filename}: nobody is ever on duty in this rota",))
    try:
        _Slug(slug=rota.slug)
    except ValidationError as error:
        message = f"{filename}: {rota.slug!r} cannot be a rota's name here; give one such as network-on-call"
        raise RotaError((message,)) from error
    return rota


class _Slug(BaseModel):
    slug: str = Field(pattern=SLUG, max_length=80)


def _path(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location)
