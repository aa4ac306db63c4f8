"""The small words of the offering language: what a slug, a text, an expression and a working time are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from portal.core.language import ngettext
from portal.core.text import clean_line, clean_text

#: A working day is eight working hours wherever a target is written in days.
MINUTES = {"m": 1, "h": 60, "d": 8 * 60}
_TIME = re.compile(r"([1-9][0-9]{0,4})([mhd])")


class Part(BaseModel):
    """One part of an offering: no unknown key, no guessed type, never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class ForPeople:
    """Marks a type whose values people read, so that an offering may give them in other languages.

    `sentence` is an expression that makes such a text; a `keyword` may stay as it is in every language, and so may
    an `example` that is no sentence.
    """

    kind: Literal["line", "text", "keyword", "example", "sentence"]


def _line(value: str) -> str:
    return clean_line(value)


def _text(value: str) -> str:
    return clean_text(value)


def _working_time(value: str) -> str:
    if not _TIME.fullmatch(value):
        message = (
            f"{value!r} is not a working time; write minutes, hours or working days such as 30m, 8h or 2d"
        )
        raise ValueError(message)
    return value


_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_SPAN_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def _duration(value: str) -> str:
    if not _SPAN.fullmatch(value):
        message = f"{value!r} is not a duration; write minutes, hours or days such as 30m, 8h or 2d"
        raise ValueError(message)
    return value


def span_of(duration: str) -> int:
    """Minutes by the clock of a duration such as `30m`, `8h` or `2d`. Raises ValueError for anything else."""
    _duration(duration)
    return int(duration[:-1]) * _SPAN_MINUTES[duration[-1]]


def duration_text(duration: str) -> str:
    """`4 hours` for `4h`, in the language that is spoken."""
    count = int(duration[:-1])
    if duration[-1] == "m":
        return ngettext("%(number)s minute", "%(number)s minutes", count)
    if duration[-1] == "h":
        return ngettext("%(number)s hour", "%(number)s hours", count)
    return ngettext("%(number)s day", "%(number)s days", count)


def minutes_of(time: str) -> int:
    """Working minutes of a time such as `30m`, `8h` or `2d`. Raises ValueError for anything else."""
    _working_time(time)
    return int(time[:-1]) * MINUTES[time[-1]]


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=80)]
#: A name that rules use, so that `answers.<name>` is a CEL name.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
LONGEST_LINE = 300
_ONE_LINE = (Field(min_length=1, max_length=LONGEST_LINE), AfterValidator(_line))
_SEVERAL_LINES = (Field(min_length=1, max_length=4000), AfterValidator(_text))
Line = Annotated[str, *_ONE_LINE, ForPeople("line")]
Text = Annotated[str, *_SEVERAL_LINES, ForPeople("text")]
#: A word by which people look for something.
Keyword = Annotated[str, *_ONE_LINE, ForPeople("keyword")]
#: What an answer may look like.
Sample = Annotated[str, *_ONE_LINE, ForPeople("example")]
#: One line, or several, that are compared or copied: the same in every language.
Word = Annotated[str, *_ONE_LINE]
Block = Annotated[str, *_SEVERAL_LINES]
#: A CEL expression; compiled and type-checked by catalog.offerings.rules when the offering is read.
Cel = Annotated[str, Field(min_length=1, max_length=2000)]
#: One that makes a text for people.
Sentence = Annotated[str, Field(min_length=1, max_length=2000), ForPeople("sentence")]
#: An RE2 pattern that must match the whole value.
Pattern = Annotated[str, Field(min_length=1, max_length=500)]
WorkingTime = Annotated[str, Field(max_length=8), AfterValidator(_working_time)]
#: Time by the clock, where a day has 24 hours.
Duration = Annotated[str, Field(max_length=8), AfterValidator(_duration)]
