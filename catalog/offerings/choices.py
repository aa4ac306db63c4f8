"""What may be chosen in a field: from the offering's own text, or read from a target."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.fulfilment.connectors.contract import Choice, ConnectorError
from catalog.offerings.derived import find_resource
from catalog.offerings.fields import OneOfField, SomeOfField
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument


def choices_of(field: OneOfField | SomeOfField, context: FormContext) -> Sequence[Choice]:
    """Every choice. Raises ValueError with a sentence when the target that knows them does not answer."""
    if field.choices_from is None:
        return [Choice(choice.value, choice.label, choice.hint or "") for choice in field.choices]
    try:
        return context.choices_once(field.choices_from.connector, field.choices_from.name)
    except ConnectorError as error:
        raise ValueError(
            f"The list for “{field.label}” cannot be read now. {error.message} Try again in a few minutes."
        ) from error


def orderable(
    document: OfferingDocument, field: OneOfField | SomeOfField, context: FormContext
) -> Sequence[Choice]:
    """The choices that a form shows: where the field has resources, those that have an owner. Raises ValueError."""
    choices = choices_of(field, context)
    if field.name not in document.resources:
        return choices
    return [choice for choice in choices if find_resource(document, field.name, choice.value) is not None]
