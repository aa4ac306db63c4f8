"""What an offering's step asks of people, read strictly: a mistake is said when it is planned, not when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Json, Order
from portal.core.text import clean_line, clean_text

DO, UNDO = "do", "undo"
MOST_ITEMS = 30
LONGEST_ITEM = 300
LONGEST_TITLE = 200
LONGEST_TEXT = 4000
_KNOWN = frozenset({"group", "title", "instructions", "checklist", "undo"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The work. Empty `undo` means that there is nothing to undo when it ends."""

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
        raise _wrong(f"People can be asked to “{DO}” something, not to “{order.action}”.")
    given = order.parameters
    if unknown := sorted(set(given) - _KNOWN):
        raise _wrong(f"A manual step has no parameter “{unknown[0]}”.")
    checklist = _items(given.get("checklist"))
    if not 1 <= len(checklist) <= MOST_ITEMS:
        raise _wrong(
            f"A manual step needs a checklist of 1 to {MOST_ITEMS} items, and this has {len(checklist)}."
        )
    return Wanted(
        group=_line(given, "group", 80),
        title=_line(given, "title", LONGEST_TITLE),
        instructions=_text(given, "instructions"),
        checklist=checklist,
        undo=_text(given, "undo"),
    )


def _items(value: Any) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise _wrong(
            "A manual step needs a checklist: a list of texts, or one text with an item on each line."
        )
    items = tuple(_clean(clean_line, line) for line in lines if line.strip())
    if any(len(item) > LONGEST_ITEM for item in items):
        raise _wrong(f"An item of a manual step's checklist is longer than {LONGEST_ITEM} characters.")
    return items


def _line(given: Json, name: str, most: int) -> str:
    value = given.get(name)
    line = _clean(clean_line, value) if isinstance(value, str) else ""
    if not line or len(line) > most:
        raise _wrong(f"A manual step needs a {name} of 1 to {most} characters.")
    return line


def _text(given: Json, name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _wrong(f"“{name}” of a manual step must be a text of at most {LONGEST_TEXT:,} characters.")
    return _clean(clean_text, value)


def _clean(clean: Any, value: str) -> str:
    try:
        return str(clean(value))
    except ValueError as error:
        raise _wrong(f"{error}.") from error


def _wrong(message: str) -> ConnectorError:
    return ConnectorError(message, permanent=True)
