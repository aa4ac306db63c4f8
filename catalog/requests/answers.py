"""Answers as people read them: each field's label beside what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from catalog.offerings.facts import row_text
from catalog.offerings.fields import FormField
from catalog.offerings.kinds_times import moment_text
from catalog.offerings.language import OfferingDocument
from catalog.offerings.words import duration_text
from portal.core import times
from portal.core.language import _


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answered question. `long` text has several lines, or is for machines."""

    field: str
    label: str
    text: str
    long: bool = False


def answer_lines(
    document: OfferingDocument,
    answers: Mapping[str, Any],
    called: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> tuple[AnswerLine, ...]:
    """Every question that was answered, in the form's order. Texts are plain, to be shown literally.

    Answers name people, units and groups by their keys; `called` says how they are called (`named.named_in`).
    """
    lines = []
    for field in document.spoken().fields:
        answer = answers.get(field.name)
        if answer in (None, "", [], ()):
            continue
        names = [
            called.get((field.kind, str(one)), "")
            for one in (answer if isinstance(answer, list) else [answer])
        ]
        text = "\n".join(names) if all(names) else _text(field, answer)
        lines.append(AnswerLine(field.name, field.label, text, long="\n" in text or field.kind == "csr"))
    return tuple(lines)


def _text(field: FormField, answer: Any) -> str:
    match field.kind:
        case "boolean":
            text = _("Yes") if answer else _("No")
        case "date":
            text = times.day(date.fromisoformat(answer))
        case "date_time":
            text = moment_text(answer)
        case "duration":
            text = duration_text(answer)
        case "table":
            text = "\n".join(row_text(row) for row in answer)
        case "one_of":
            text = _label(field, answer)
        case "some_of":
            text = ", ".join(_label(field, value) for value in answer)
        case "number":
            text = f"{answer} {field.unit}" if field.unit else str(answer)
        case "protocol":
            text = str(answer).upper()
        case _:
            text = _plain(answer)
    return text


def _plain(answer: Any) -> str:
    if isinstance(answer, Mapping):  # an asset, as it was known when it was asked for
        return _(
            "%(name)s (%(id)s), owned by %(owner)s",
            name=answer["name"],
            id=answer["id"],
            owner=answer["owner"],
        )
    return "\n".join(answer) if isinstance(answer, list | tuple) else str(answer)


def _label(field: Any, value: str) -> str:
    return next((str(choice.label) for choice in field.choices if choice.value == value), value)


def spoken_end(ends_at: datetime | None, timezone: str) -> str:
    """When something ends, as people say it: the end of a day where it ends with the day."""
    if ends_at is None:
        return _("No end")
    local = ends_at.astimezone(ZoneInfo(timezone))
    if local.time() == time(0):
        return _("The end of %(day)s", day=times.day(local.date() - timedelta(days=1)))
    return times.moment_plain(local)
