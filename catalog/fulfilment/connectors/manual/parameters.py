"""What an offering's step asks of people, read strictly: a mistake is said when it is planned, not when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Json, Order
from portal.core import times
from portal.core.language import Said, every_language, say
from portal.core.text import clean_line, clean_text

DO, UNDO = "do", "undo"
MOST_ITEMS = 30
LONGEST_ITEM = 300
LONGEST_TITLE = 200
LONGEST_TEXT = 4000
_KNOWN = frozenset({"group", "title", "instructions", "checklist", "undo"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The work, in every language in which the offering has it. Empty `undo`: there is nothing to undo when it ends."""

    group: str
    title: str
    instructions: str
    checklist: tuple[str, ...]
    undo: str


def read_parameters(order: Order) -> Wanted:
    """The order's parameters. `checklist` is a list, or a text with an item on each line.

    Raises a permanent ConnectorError with a sentence.
    """
    if order.action != DO:
        raise _wrong(
            say(
                "People can be asked to “%(possible)s” something, not to “%(action)s”.",
                possible=DO,
                action=order.action,
            )
        )
    given = order.parameters
    if unknown := sorted(set(given) - _KNOWN):
        raise _wrong(say("A manual step has no parameter “%(name)s”.", name=unknown[0]))
    checklist = _items(given.get("checklist"))
    if not 1 <= len(checklist) <= MOST_ITEMS:
        raise _wrong(
            say(
                "A manual step needs a checklist of 1 to %(most)s items, and this has %(count)s.",
                most=MOST_ITEMS,
                count=len(checklist),
            )
        )
    return Wanted(
        group=str(_line(given, "group", 80)),
        title=_line(given, "title", LONGEST_TITLE),
        instructions=_text(given, "instructions"),
        checklist=checklist,
        undo=_text(given, "undo"),
    )


def _items(value: Any) -> tuple[str, ...]:
    lines = _lines(value) if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise _wrong(
            say("A manual step needs a checklist: a list of texts, or one text with an item on each line.")
        )
    items = tuple(_clean(clean_line, line) for line in lines if line.strip())
    if any(len(item) > LONGEST_ITEM for item in items):
        raise _wrong(
            say("An item of a manual step's checklist is longer than %(most)s characters.", most=LONGEST_ITEM)
        )
    return items


def _lines(text: str) -> list[str]:
    """An item from each line, in every language that has as many; in English where one has not."""
    english = [line for line in text.splitlines() if line.strip()]
    if not isinstance(text, Said):
        return english
    others = {
        code: [line for line in words.splitlines() if line.strip()] for code, words in text.languages.items()
    }
    return [
        Said({code: lines[number] for code, lines in others.items() if len(lines) == len(english)})
        for number in range(len(english))
    ]


def _line(given: Json, name: str, most: int) -> str:
    value = given.get(name)
    line = _clean(clean_line, value) if isinstance(value, str) else ""
    if not line or len(line) > most:
        raise _wrong(say("A manual step needs a %(name)s of 1 to %(most)s characters.", name=name, most=most))
    return line


def _text(given: Json, name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _wrong(
            say(
                "“%(name)s” of a manual step must be a text of at most %(most)s characters.",
                name=name,
                most=every_language(lambda: times.number(LONGEST_TEXT)),
            )
        )
    return _clean(clean_text, value)


def _clean(clean: Any, value: str) -> str:
    try:
        if not isinstance(value, Said):
            return str(clean(value))
        return Said({code: str(clean(text)) for code, text in value.languages.items()})
    except ValueError as error:
        words = str(error)
        raise _wrong(every_language(lambda: f"{words}.")) from error


def _wrong(message: str) -> ConnectorError:
    return ConnectorError(message, permanent=True)
