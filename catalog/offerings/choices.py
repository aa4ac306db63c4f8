"""What may be chosen in a field: from the offering's own text, or read from a target."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from catalog.fulfilment.connectors.contract import Choice, ConnectorError
from catalog.offerings.derived import find_resource
from catalog.offerings.fields import OneOfField, SomeOfField
from catalog.offerings.form_context import PORTAL, FormContext
from catalog.offerings.language import OfferingDocument
from portal.core.language import _, spoken

_log = logging.getLogger(__name__)


def choices_of(
    field: OneOfField | SomeOfField, context: FormContext, *, fresh: bool = False
) -> Sequence[Choice]:
    """Every choice, as the target gave them within the last minute; as it has them now where `fresh`.

    Raises ValueError with a sentence when the target that knows them does not answer.
    """
    if field.choices_from is None:
        return [Choice(choice.value, choice.label, choice.hint or "") for choice in field.choices]
    try:
        read = context.choices_once(field.choices_from.connector, field.choices_from.name, fresh=fresh)
        return [Choice(choice.value, spoken(choice.label), spoken(choice.hint)) for choice in read]
    except ConnectorError as error:
        raise ValueError(
            silent(_("The list for “%(field)s” cannot be read now.", field=field.label), error)
        ) from error


def directory_choices(name: str, context: FormContext) -> Sequence[Choice]:
    """The portal's own `groups` or `units`, by name."""
    return context.choices_once(PORTAL, name)


def silent(what: str, error: ConnectorError) -> str:
    """What a person is told when a target cannot say what is needed; addresses and error numbers go to the log."""
    if error.permanent:
        return f"{what} {spoken(error.message)}"
    _log.warning("%s %s", what, error.message)
    why = _("The system behind it does not answer. Your answers are kept; try again in a few minutes.")
    return f"{what} {why}"


def orderable(
    document: OfferingDocument, field: OneOfField | SomeOfField, context: FormContext
) -> Sequence[Choice]:
    """The choices that a form shows: where the field has resources, those that have an owner. Raises ValueError."""
    choices = choices_of(field, context)
    if field.name not in document.resources:
        return choices
    return [choice for choice in choices if find_resource(document, field.name, choice.value) is not None]
