"""One form for several people: who they are, and the answers for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.offerings.answers import check_answers
from catalog.offerings.fields import PersonField
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from portal.core.errors import FieldError, FieldErrors
from portal.core.language import _

#: People in one order; a file takes more.
MOST_PEOPLE = 50


def people_in(document: OfferingDocument, raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of an order for several people, each once; empty where it is for one person."""
    field = document.find_field(document.beneficiary) if document.beneficiary else None
    if not isinstance(field, PersonField) or not field.several:
        return ()
    lines = str(raw.get(field.name) or "").splitlines()
    names = tuple(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    return names if len(names) > 1 else ()


def for_one(document: OfferingDocument, raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The order as it would be typed for this one person."""
    return {**raw, document.beneficiary or "": name}


def check_people(
    document: OfferingDocument, raw: Mapping[str, Any], names: Sequence[str], context: FormContext
) -> list[dict[str, Any]]:
    """The checked answers for each of the people, in order.

    Raises FieldErrors: what is wrong for everybody once, what is wrong for some with their names before it.
    """
    if len(names) > MOST_PEOPLE:
        raise FieldErrors(
            (
                FieldError(
                    document.beneficiary or "",
                    _(
                        "These are %(count)s people; at most %(most)s fit in one order. Order more from a file.",
                        count=len(names),
                        most=MOST_PEOPLE,
                    ),
                ),
            )
        )
    found: list[dict[str, Any]] = []
    wrong: dict[tuple[str, str], list[str]] = {}
    for name in names:
        try:
            answers = check_answers(document, for_one(document, raw, name), context)
        except FieldErrors as error:
            for problem in error.errors:
                wrong.setdefault((problem.field, problem.message), []).append(name)
        else:
            if answers in found:
                twice = _("“%(name)s” is named twice.", name=name)
                wrong.setdefault((document.beneficiary or "", twice), []).append("")
            found.append(answers)
    if wrong:
        raise FieldErrors(
            tuple(
                FieldError(field, message if len(who) == len(names) else _for(who, message))
                for (field, message), who in wrong.items()
            )
        )
    return found


def _for(names: Sequence[str], message: str) -> str:
    who = ", ".join(filter(None, names))
    return _("%(who)s: %(problem)s", who=who, problem=message) if who else message
