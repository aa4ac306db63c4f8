"""How answers that name one thing are checked: a mail address, a host, a group, a unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import idna

from catalog.offerings.choices import directory_choices
from catalog.offerings.field_names import EmailField, GroupField, HostNameField, UnitField
from catalog.offerings.form_context import FormContext
from catalog.offerings.typed import cut, one
from portal.core.language import _
from portal.core.text import clean_line

#: What RFC 5321 takes without quotes, and what mail systems really use.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_LOCAL = 64


def _email(field: EmailField, typed: Any, context: FormContext) -> str:
    text = clean_line(one(typed))
    if len(text) > field.at_most:
        raise ValueError(
            _(
                "This has %(count)s characters; a mail address has at most %(most)s.",
                count=len(text),
                most=field.at_most,
            )
        )
    local, _at, domain = text.rpartition("@")
    try:
        domain = host_name(domain)
    except ValueError:
        domain = ""
    if not domain or len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        raise ValueError(
            _("“%(typed)s” is not a mail address. Write it like name@meridian.example.", typed=cut(text))
        )
    return f"{local}@{domain}"


def _host(field: HostNameField, typed: Any, context: FormContext) -> str:
    return host_name(clean_line(one(typed)))


def host_name(text: str) -> str:
    """The name in its ASCII form. Raises ValueError for what is none."""
    try:
        name = idna.encode(text.rstrip("."), uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        name = ""
    if "." not in name or name.rpartition(".")[2].isdecimal():
        raise ValueError(
            _("“%(typed)s” is not a host name. Write it whole, like app1.meridian.example.", typed=cut(text))
        )
    return name


def _group(field: GroupField, typed: Any, context: FormContext) -> str:
    return _listed_in("groups", one(typed), context)


def _unit(field: UnitField, typed: Any, context: FormContext) -> str:
    return _listed_in("units", one(typed), context)


def _listed_in(name: str, value: str, context: FormContext) -> str:
    if value not in {choice.value for choice in directory_choices(name, context)}:
        message = (
            _("“%(typed)s” is not one of the groups. Choose one from the list.", typed=cut(value))
            if name == "groups"
            else _("“%(typed)s” is not one of the units. Choose one from the list.", typed=cut(value))
        )
        raise ValueError(message)
    return value


NAME_CHECKS: Mapping[str, Callable[[Any, Any, FormContext], Any]] = {
    "email": _email,
    "host_name": _host,
    "group": _group,
    "unit": _unit,
}
