"""Templates of messages: one folder per event, `subject.txt`, `body.txt` and `body.html` in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from portal.core.assets import templates_folder
from portal.core.language import language, spoken
from portal.core.templates import teach
from portal.core.text import header_safe
from portal.core.times import deadline, weekday

#: Stands for the portal's address until the mail is sent. It is a private-use character, which no text that
#: people type may hold, so nothing but a template can put a link into a mail.
PORTAL = "\ue000"
LONGEST_SUBJECT = 180
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_KEPT = {"\n", "\t", "\u200c", "\u200d"}


class Link(str):
    """An address in the portal, as `notify` makes it; only this may hold the sign for the portal's address."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message as its reader will see it, but for the portal's address."""

    subject: str
    text: str
    html: str


def render(event: str, context: Mapping[str, Any], zone: str) -> Rendered:
    """The event's message. Times come out in `zone` (IANA). Raises jinja2.UndefinedError for a missing variable."""
    environment = _environment()
    variables = {
        **{name: _clean(value) for name, value in context.items()},
        "zone": ZoneInfo(zone),
        "portal": Link(PORTAL),
        "language": language(),
    }

    def part(name: str) -> str:
        return environment.get_template(f"{event}/{name}").render(variables)

    subject = header_safe(part("subject.txt"))
    if len(subject) > LONGEST_SUBJECT:
        subject = subject[: LONGEST_SUBJECT - 1].rstrip() + "…"
    return Rendered(subject, part("body.txt").strip() + "\n", part("body.html"))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder() / "notifications"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    teach(environment)
    environment.filters["when"] = when
    environment.filters["quoted"] = quoted
    return environment


def when(moment: datetime | date, zone: ZoneInfo) -> str:
    """A moment as people say it, in their own time zone: Friday 27 November 2026, 17:00 CET.

    Midnight belongs to two days, so it is said as the end of the first.
    """
    if not isinstance(moment, datetime):
        return weekday(moment)
    return deadline(moment, zone)


def quoted(text: str) -> str:
    """Somebody's words in a plain text mail: each line is marked, so that none passes for one of ours."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _clean(value: Any) -> Any:
    """A value of the context in the language that is spoken, with whatever lies in it, and nothing hidden in its texts.

    Templates put values into translated sentences, which `_shown` sees only when they are whole.
    """
    value = spoken(value)
    if isinstance(value, Link):
        return value
    if isinstance(value, str):
        return _without_hidden(value)
    if isinstance(value, Mapping):
        return {name: _clean(part) for name, part in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_clean(part) for part in value)
    return value


def _shown(value: Any) -> Any:
    """What a template prints: characters that hide or reorder text come out as U+FFFD; None is a mistake."""
    value = spoken(value)
    if value is None:
        raise TypeError("A template would print None; say in words that there is nothing.")
    # Markup was put together from parts that came through here.
    if not isinstance(value, str) or isinstance(value, Link | Markup):
        return value
    return _without_hidden(value)


def _without_hidden(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        "\ufffd" if unicodedata.category(character) in _HIDDEN and character not in _KEPT else character
        for character in text.replace("\r\n", "\n")
    )
