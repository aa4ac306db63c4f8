"""How an answer of each kind is checked: one table from kind to function.

Each takes the field, what was typed (never empty) and the context, and gives the JSON value that is kept. It raises
ValueError with a sentence for the person who typed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import re2
from babel.lists import format_list

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
from catalog.offerings.kinds_times import TIME_CHECKS, check_day
from catalog.offerings.tables import check_rows
from catalog.offerings.typed import check_length, cut, like, listed, one
from portal.core import times
from portal.core.language import _, locale, ngettext, spoken
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
        wrong = _("“%(typed)s” does not fit here.", typed=cut(text))
        raise ValueError(field.pattern_says or f"{wrong} {like(field.example)}".strip())
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
        wrong = _("“%(typed)s” is not a number.", typed=cut(text))
        advice = like(field.example) or _("Write digits only.")
        raise ValueError(f"{wrong} {advice}")
    number = float(text)
    if field.whole and number != int(number):
        raise ValueError(_("Enter a whole number."))
    if not field.minimum <= number <= field.maximum:
        most = f"{field.maximum} {field.unit}" if field.unit else field.maximum
        raise ValueError(_("Enter a number from %(least)s to %(most)s.", least=field.minimum, most=most))
    return int(number) if field.whole else number


def _boolean(field: Any, typed: Any, context: FormContext) -> bool:
    return typed is True or typed in {"y", "on", "true", "yes", "1"}


def _one_of(field: OneOfField, typed: Any, context: FormContext) -> str:
    value = one(typed)
    if value not in {choice.value for choice in choices_of(field, context)} and value not in {
        choice.value for choice in choices_of(field, context, fresh=True)
    }:
        raise ValueError(
            _("“%(typed)s” is not one of the choices. Choose one from the list.", typed=cut(value))
        )
    return value


def _some_of(field: SomeOfField, typed: Any, context: FormContext) -> list[str]:
    values = [typed] if isinstance(typed, str) else typed
    known = [choice.value for choice in choices_of(field, context)]
    for value in values:
        if value not in known:
            raise ValueError(
                _("“%(typed)s” is not one of the choices. Choose from the list.", typed=cut(str(value)))
            )
    chosen = [value for value in known if value in values]
    if not field.at_least <= len(chosen) <= field.at_most:
        raise ValueError(_("Choose %(least)s to %(most)s of them.", least=field.at_least, most=field.at_most))
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
            _(
                "“%(typed)s” is not a date. Write year, month and day, like %(example)s.",
                typed=cut(text),
                example=example.isoformat(),
            )
        )
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    if day < context.today <= earliest:
        raise ValueError(
            _(
                "%(day)s is in the past. Choose %(earliest)s or later.",
                day=day_text(day),
                earliest=day_text(earliest),
            )
        )
    check_day(day, earliest, latest)
    return day.isoformat()


def _person(field: PersonField, typed: Any, context: FormContext) -> str:
    person = find_person(one(typed), context)
    if not field.may_be_self and person.user_name == context.actor.user_name:
        raise ValueError(_("Name somebody else than yourself."))
    return person.user_name


def find_person(text: str, context: FormContext) -> PersonFacts:
    """The one person whom this text names. Raises ValueError with a sentence where there is none, or several."""
    text = clean_line(text)
    bracketed = _IN_BRACKETS.fullmatch(text)
    found = context.people.find(text) or (context.people.find(bracketed[1]) if bracketed else ())
    if not found:
        near = nearest_people(text, context.people.suggestions())
        nobody = _("Nobody is called “%(typed)s”.", typed=cut(text))
        raise ValueError(f"{nobody} {_meant([label_of(person) for person in near])}")
    if len(found) > 1:
        several = ", ".join(f"{person.user_name} ({person.unit_name})" for person in found[:4])
        raise ValueError(
            ngettext(
                "%(number)s person is called “%(typed)s”: %(several)s. Enter the user name.",
                "%(number)s people are called “%(typed)s”: %(several)s. Enter the user name.",
                len(found),
                typed=cut(text),
                several=several,
            )
        )
    return found[0]


def _meant(near: Sequence[str]) -> str:
    if not near:
        return _("Enter a name from the list, a user name or a mail address.")
    if len(near) == 1:
        return _("Did you mean %(person)s?", person=near[0])
    return _("Did you mean %(person)s or %(other)s?", person=near[0], other=near[1])


def _host_names(field: HostNamesField, typed: Any, context: FormContext) -> list[str]:
    names = list(dict.fromkeys(host_name(name) for name in listed(typed)))
    if len(names) > field.at_most:
        raise ValueError(
            _(
                "These are %(count)s host names; at most %(most)s fit in one request.",
                count=len(names),
                most=field.at_most,
            )
        )
    return names


def _networks(field: NetworksField, typed: Any, context: FormContext) -> list[str]:
    parts = listed(typed)
    for part in parts:
        network = parse_network(part)
        if network.prefixlen == 0 and not field.anywhere:
            raise ValueError(
                _(
                    "%(network)s means every address there is. Name the networks that need it, like 10.1.2.0/24.",
                    network=cut(part),
                )
            )
        widest = field.widest if network.version == 4 else (field.widest or 0) * 2  # noqa: PLR2004
        if widest is not None and network.prefixlen < widest:
            raise ValueError(
                _(
                    "%(network)s is too wide. Name networks of /%(widest)s or smaller.",
                    network=cut(part),
                    widest=widest,
                )
            )
    networks = parse_networks(parts)
    if len(networks) > field.at_most:
        raise ValueError(
            _(
                "These are %(count)s networks; at most %(most)s fit in one request.",
                count=len(networks),
                most=field.at_most,
            )
        )
    return [str(network) for network in networks]


def _ports(field: PortsField, typed: Any, context: FormContext) -> str:
    ports = parse_ports(" ".join(listed(typed)))
    if size(ports) > field.at_most:
        raise ValueError(
            _(
                "These are %(count)s ports; at most %(most)s may be asked for. Name fewer.",
                count=times.number(size(ports)),
                most=times.number(field.at_most),
            )
        )
    return port_text(ports)


def _protocol(field: ProtocolField, typed: Any, context: FormContext) -> str:
    protocol = one(typed).lower()
    if protocol not in field.protocols:
        names = format_list([name.upper() for name in field.protocols], style="or", locale=locale())
        raise ValueError(_("Choose %(protocols)s.", protocols=names))
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
