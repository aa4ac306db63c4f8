"""How an answer of each kind is checked: one table from kind to function.

Each takes the field, what was typed (never empty) and the context, and gives the JSON value that is kept. It raises
ValueError with a sentence for the person who typed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import re2

from catalog.fulfilment.connectors.ca.csr import CsrError, read_csr
from catalog.offerings.choices import choices_of
from catalog.offerings.facts import PersonFacts, day_text
from catalog.offerings.fields import (
    CsrField,
    DateField,
    HostNamesField,
    LongTextField,
    NetworksField,
    NumberField,
    OneOfField,
    PersonField,
    PortsField,
    ProtocolField,
    SomeOfField,
    TableField,
    TextField,
)
from catalog.offerings.form_context import FormContext, label_of, nearest_people
from catalog.offerings.kinds_names import NAME_CHECKS, host_name
from catalog.offerings.kinds_records import RECORD_CHECKS
from catalog.offerings.kinds_times import TIME_CHECKS
from catalog.offerings.tables import check_rows
from catalog.offerings.typed import check_length, cut, like, listed, one
from portal.core.language import spoken
from portal.core.networks import parse_network, parse_networks
from portal.core.ports import parse_ports, port_text
from portal.core.spans import size
from portal.core.text import clean_line, clean_text

_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_IN_BRACKETS = re.compile(r".*\(([^()]+)\)")


def _text(field: TextField, typed: Any, context: FormContext) -> str:
    text = clean_line(one(typed))
    check_length(field.label, text, field.at_least, field.at_most)
    if field.pattern is not None and not re2.fullmatch(field.pattern, text):
        raise ValueError(
            field.pattern_says or f"“{cut(text)}” does not fit here. {like(field.example)}".strip()
        )
    return text


def _long_text(field: LongTextField, typed: Any, context: FormContext) -> str:
    text = clean_text(one(typed))
    check_length(field.label, text, field.at_least, field.at_most)
    return text


def _number(field: NumberField, typed: Any, context: FormContext) -> int | float:
    text = (
        str(typed).strip() if isinstance(typed, int | float) and not isinstance(typed, bool) else one(typed)
    )
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"“{cut(text)}” is not a number. {like(field.example) or 'Write digits only.'}")
    number = float(text)
    if field.whole and number != int(number):
        raise ValueError("Enter a whole number.")
    if not field.minimum <= number <= field.maximum:
        unit = f" {field.unit}" if field.unit else ""
        raise ValueError(f"Enter a number from {field.minimum} to {field.maximum}{unit}.")
    return int(number) if field.whole else number


def _boolean(field: Any, typed: Any, context: FormContext) -> bool:
    return typed is True or typed in {"y", "on", "true", "yes", "1"}


def _one_of(field: OneOfField, typed: Any, context: FormContext) -> str:
    value = one(typed)
    if value not in {choice.value for choice in choices_of(field, context)} and value not in {
        choice.value for choice in choices_of(field, context, fresh=True)
    }:
        raise ValueError(f"“{cut(value)}” is not one of the choices. Choose one from the list.")
    return value


def _some_of(field: SomeOfField, typed: Any, context: FormContext) -> list[str]:
    values = [typed] if isinstance(typed, str) else typed
    known = [choice.value for choice in choices_of(field, context)]
    for value in values:
        if value not in known:
            raise ValueError(f"“{cut(str(value))}” is not one of the choices. Choose from the list.")
    chosen = [value for value in known if value in values]
    if not field.at_least <= len(chosen) <= field.at_most:
        raise ValueError(f"Choose {field.at_least} to {field.at_most} of them.")
    return chosen


def _date(field: DateField, typed: Any, context: FormContext) -> str:
    text = one(typed)
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        day = None
    if day is None:
        example = context.today + timedelta(days=90)
        raise ValueError(
            f"“{cut(text)}” is not a date. Write year, month and day, like {example.isoformat()}."
        )
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    if day < context.today <= earliest:
        raise ValueError(f"{day_text(day)} is in the past. Choose {day_text(earliest)} or later.")
    if day < earliest:
        raise ValueError(f"{day_text(day)} is too early. Choose {day_text(earliest)} or later.")
    if day > latest:
        raise ValueError(f"{day_text(day)} is too late. Choose {day_text(latest)} or earlier.")
    return day.isoformat()


def _person(field: PersonField, typed: Any, context: FormContext) -> str:
    person = find_person(one(typed), context)
    if not field.may_be_self and person.user_name == context.actor.user_name:
        raise ValueError("Name somebody else than yourself.")
    return person.user_name


def find_person(text: str, context: FormContext) -> PersonFacts:
    """The one person whom this text names. Raises ValueError with a sentence where there is none, or several."""
    text = clean_line(text)
    bracketed = _IN_BRACKETS.fullmatch(text)
    found = context.people.find(text) or (context.people.find(bracketed[1]) if bracketed else ())
    if not found:
        near = nearest_people(text, context.people.suggestions())
        meant = f" Did you mean {' or '.join(label_of(person) for person in near)}?" if near else ""
        raise ValueError(
            f"Nobody is called “{cut(text)}”.{meant or ' Enter a name from the list, a user name or a mail address.'}"
        )
    if len(found) > 1:
        several = ", ".join(f"{person.user_name} ({person.unit_name})" for person in found[:4])
        raise ValueError(f"{len(found)} people are called “{cut(text)}”: {several}. Enter the user name.")
    return found[0]


def _host_names(field: HostNamesField, typed: Any, context: FormContext) -> list[str]:
    names = list(dict.fromkeys(host_name(name) for name in listed(typed)))
    if len(names) > field.at_most:
        raise ValueError(f"These are {len(names)} host names; at most {field.at_most} fit in one request.")
    return names


def _networks(field: NetworksField, typed: Any, context: FormContext) -> list[str]:
    parts = listed(typed)
    for part in parts:
        network = parse_network(part)
        if network.prefixlen == 0 and not field.anywhere:
            raise ValueError(
                f"{cut(part)} means every address there is. Name the networks that need it, like 10.1.2.0/24."
            )
        widest = field.widest if network.version == 4 else (field.widest or 0) * 2  # noqa: PLR2004
        if widest is not None and network.prefixlen < widest:
            raise ValueError(f"{cut(part)} is too wide. Name networks of /{widest} or smaller.")
    networks = parse_networks(parts)
    if len(networks) > field.at_most:
        raise ValueError(f"These are {len(networks)} networks; at most {field.at_most} fit in one request.")
    return [str(network) for network in networks]


def _ports(field: PortsField, typed: Any, context: FormContext) -> str:
    ports = parse_ports(" ".join(listed(typed)))
    if size(ports) > field.at_most:
        raise ValueError(
            f"These are {size(ports):,} ports; at most {field.at_most:,} may be asked for. Name fewer."
        )
    return port_text(ports)


def _protocol(field: ProtocolField, typed: Any, context: FormContext) -> str:
    protocol = one(typed).lower()
    if protocol not in field.protocols:
        raise ValueError(f"Choose {' or '.join(name.upper() for name in field.protocols)}.")
    return protocol


def _csr(field: CsrField, typed: Any, context: FormContext) -> str:
    try:
        return read_csr(one(typed)).pem
    except CsrError as error:
        raise ValueError(spoken(error.message)) from error


def _table(field: TableField, typed: Any, context: FormContext) -> list[dict[str, Any]]:
    return check_rows(field, typed, context, CHECKS)


CHECKS: Mapping[str, Callable[[Any, Any, FormContext], Any]] = {
    "text": _text,
    "long_text": _long_text,
    "number": _number,
    "boolean": _boolean,
    "one_of": _one_of,
    "some_of": _some_of,
    "date": _date,
    "person": _person,
    "host_names": _host_names,
    "networks": _networks,
    "ports": _ports,
    "protocol": _protocol,
    "csr": _csr,
    "table": _table,
    **NAME_CHECKS,
    **TIME_CHECKS,
    **RECORD_CHECKS,
}
