"""What somebody typed, before it is anything: one text, a list, and the sentences about it."""

from __future__ import annotations

import re
from typing import Any

from portal.core import times
from portal.core.language import _
from portal.core.text import clean_text

LONGEST_RAW = 40_000
_SHOWN = 60


def one(typed: Any) -> str:
    """The one text that was typed. Raises ValueError for several, and for one that is too long."""
    if isinstance(typed, list | tuple) and len(typed) == 1:
        typed = typed[0]
    if not isinstance(typed, str):
        raise ValueError(_("Give one answer here."))  # noqa: TRY004  (every refusal of an answer is a ValueError)
    if len(typed) > LONGEST_RAW:
        raise ValueError(
            _("This is longer than %(most)s characters. Shorten it.", most=times.number(LONGEST_RAW))
        )
    return typed.strip()


def listed(typed: Any) -> list[str]:
    """The parts of a list, whether it came as a list or as text with line ends, commas or spaces."""
    if isinstance(typed, list | tuple) and all(isinstance(item, str) for item in typed):
        typed = "\n".join(typed)
    parts = [part for part in re.split(r"[,;\s]+", clean_text(one(typed))) if part]
    if not parts:
        raise ValueError(_("Name at least one."))
    return parts


def check_length(label: str, text: str, least: int, most: int) -> None:
    """Raises ValueError for a text that is longer or shorter than it may be."""
    if len(text) > most:
        raise ValueError(
            _(
                "“%(label)s” has %(count)s characters; at most %(most)s fit. Shorten it.",
                label=label,
                count=times.number(len(text)),
                most=times.number(most),
            )
        )
    if len(text) < least:
        raise ValueError(
            _(
                "“%(label)s” has %(count)s characters; write at least %(least)s, so that it can be judged.",
                label=label,
                count=len(text),
                least=least,
            )
        )


def like(example: str | None) -> str:
    """`Write it like 10.1.2.0/24.`, or nothing."""
    return _("Write it like %(example)s.", example=example) if example else ""


def cut(text: str) -> str:
    """The text, short enough for a sentence."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def is_empty(typed: Any) -> bool:
    """Whether nothing was typed or chosen."""
    if isinstance(typed, dict):
        return all(is_empty(item) for item in typed.values())
    if isinstance(typed, list | tuple):
        return all(is_empty(item) for item in typed)
    return typed is None or (isinstance(typed, str) and not typed.strip())
