"""What stands in a form before anybody types: from a link, from a request to order again, from a favourite.

All of it is raw text in the form's own fields, checked like what people type, and nothing is submitted by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from catalog.offerings.defaults import default_of
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from catalog.ordering.favourites import get_favourite
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from portal.core.errors import NotFound
from portal.core.language import _
from portal.core.text import clean_text
from portal.identity.actor import Actor

#: Names in a link's query that are the page's own.
OWN = frozenset({"draft", "check", "kept", "like", "favourite", "starred"})
LONGEST_VALUE = 4000
_LONGEST_NUMBER = 18
#: A link may not put these into a form: they were uploaded by somebody, or are as good as a signature.
_NEVER_PREFILLED = frozenset({"file", "csr"})
_SEVERAL = frozenset({"some_of"})


def begun_with(
    session: Session,
    actor: Actor,
    document: OfferingDocument,
    query: Mapping[str, list[str]],
    *,
    router: Router,
    context: FormContext,
) -> dict[str, Any] | None:
    """What a link's query says the form begins with; None for the form's own defaults.

    `like` names a request to order again, `favourite` answers that were kept; anything else is a field of the form.
    Raises NotFound for a request or a favourite that is not the actor's.
    """
    if like := query.get("like"):
        return from_request(session, actor, like[0], document, context, router=router)
    favourite = query.get("favourite", [""])[0]
    if favourite.isascii() and favourite.isdecimal() and len(favourite) <= _LONGEST_NUMBER:
        return from_favourite(session, actor, int(favourite), document, context)
    return from_link(document, query, context)


def from_link(
    document: OfferingDocument, query: Mapping[str, list[str]], context: FormContext
) -> dict[str, Any] | None:
    """The form's defaults with what the link names; None when it names no field of the form.

    Names that the form does not have are passed over, and so are values that no field takes as text.
    """
    given: dict[str, Any] = {}
    for field in document.fields:
        values = [text for text in (_clean(value) for value in query.get(field.name, ())) if text is not None]
        if values and field.name not in OWN and field.kind not in _NEVER_PREFILLED and field.kind != "table":
            given[field.name] = values if field.kind in _SEVERAL else values[0]
    return {**_defaults(document, context), **given} if given else None


def from_request(
    session: Session,
    actor: Actor,
    reference: str,
    document: OfferingDocument,
    context: FormContext,
    *,
    router: Router,
) -> dict[str, Any]:
    """The answers of a request that the actor may see, as a new form begins with them.

    Fields that the form no longer has fall away, days that are over become the form's own defaults, and files stay
    with the old request. Raises NotFound for a request that is not theirs to see or is of another offering.
    """
    found = request_for(session, actor, reference, router)
    if found.version.document["slug"] != document.slug:
        raise NotFound(_("This request is of another service. Order it again from its own page."))
    return _again(document, found.answers, context)


def from_favourite(
    session: Session, actor: Actor, number: int, document: OfferingDocument, context: FormContext
) -> dict[str, Any]:
    """The answers that the actor kept. Raises NotFound for a favourite that is not theirs."""
    return _again(document, get_favourite(session, actor, number).answers, context)


def _again(document: OfferingDocument, answers: Mapping[str, Any], context: FormContext) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for field in document.fields:
        answer = answers.get(field.name)
        if field.kind == "file" or answer in (None, "", [], ()):
            continue
        if field.kind in {"date", "date_time"} and _is_over(answer, context.today):
            answer = default_of(field, context)
        if answer is not None:
            raw[field.name] = answer
    return raw


def _defaults(document: OfferingDocument, context: FormContext) -> dict[str, Any]:
    found = {field.name: default_of(field, context) for field in document.fields}
    return {name: value for name, value in found.items() if value is not None}


def _is_over(answer: Any, today: date) -> bool:
    try:
        return date.fromisoformat(str(answer)[:10]) < today
    except ValueError:
        return True


def _clean(value: str) -> str | None:
    """The value as text that a person could have typed, or None."""
    if len(value) > LONGEST_VALUE:
        return None
    try:
        return clean_text(value)
    except ValueError:
        return None
