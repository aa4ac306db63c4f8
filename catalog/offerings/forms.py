"""Offerings as WTForms: real fields with labels, hints and limits; catalog.offerings.answers checks what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, cast

from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms.fields import (
    BooleanField,
    Field,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, DateInput, ListWidget

from catalog.offerings import fields as language
from catalog.offerings.answers import check_answers, is_asked
from catalog.offerings.choices import orderable
from catalog.offerings.defaults import default_of
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from catalog.offerings.posted import FILE_SUFFIX, Posted, as_sent, posted
from portal.core.errors import FieldError, FieldErrors

__all__ = ["FILE_SUFFIX", "OfferingForm", "Posted", "answers_of", "build_form", "check_answers", "posted"]

#: With so few choices all of them are shown at once.
MOST_RADIOS = 6


class OfferingForm(Form):
    """A form of one offering for one person.

    Without `raw` it shows the defaults; `raw` is what was typed, as `posted` gives it and a draft keeps it, or
    answers that were checked before. `errors` are those of `posted`.
    """

    document: ClassVar[OfferingDocument]
    context: ClassVar[FormContext]

    def __init__(self, raw: Mapping[str, Any] | None = None, errors: Iterable[FieldError] = ()) -> None:
        self.raw: dict[str, Any] = dict(raw or {})
        self.answers: dict[str, Any] = {}
        super().__init__(None if raw is None else _sent(self.document, raw))
        self.refuse(errors)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every answer by the offering's language; errors stand at their fields."""
        refused = bool(self.errors)
        try:
            self.answers = check_answers(self.document, self.raw, self.context)
        except FieldErrors as error:
            self.refuse(error.errors)
            return False
        return not refused

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Put each error at its field, the first one only; errors of no field stand above the form."""
        for error in errors:
            field = self._fields.get(error.field)
            if field is None:
                self.form_errors.append(error.message)
            elif not field.errors:
                field.errors = [error.message]

    def asks(self, field: FormField) -> bool:
        """Whether the question is asked, given what was chosen above it."""
        chosen = {
            other.name: self._fields[other.name].data
            for other in self.document.fields
            if other.kind in {"one_of", "protocol", "boolean", "some_of"} and self._fields[other.name].data
        }
        return is_asked(self.document, field, {**chosen, **self.answers}, self.context)


def build_form(document: OfferingDocument, context: FormContext) -> type[OfferingForm]:
    """The form's class. Asks targets for their choices; one that does not answer shows on its field."""
    attributes: dict[str, Any] = {"document": document, "context": context}
    for field in document.fields:
        attributes[field.name] = _BUILDERS[field.kind](document, field, context)
        if field.kind == "csr":
            attributes[field.name + FILE_SUFFIX] = FileField(
                "Or upload the file", render_kw={"accept": ".csr,.pem,.req,.p10,.der,.txt"}
            )
    return cast("type[OfferingForm]", type("FormOfOffering", (OfferingForm,), attributes))


def answers_of(form: OfferingForm) -> dict[str, Any]:
    """The checked answers of a form that validated."""
    return form.answers


def _sent(document: OfferingDocument, raw: Mapping[str, Any]) -> MultiDict[str, str]:
    # WTForms takes an empty form for one that was not sent, and would show the defaults again.
    return MultiDict({"csrf_token": [""], **as_sent(document, raw)})


def _settings(field: FormField, context: FormContext, **render_kw: Any) -> dict[str, Any]:
    attributes = {"autocomplete": "off", **render_kw}
    return {
        "label": field.label,
        "description": field.hint or "",
        "default": default_of(field, context),
        "validators": [] if field.required else [Optional()],
        "render_kw": attributes,
    }


def _limited(field: FormField, context: FormContext, most: int, **render_kw: Any) -> dict[str, Any]:
    settings = _settings(field, context, **render_kw)
    settings["validators"].append(Length(max=most))
    return settings


def _text(document: OfferingDocument, field: language.TextField, context: FormContext) -> Any:
    return StringField(**_limited(field, context, field.at_most, spellcheck="true"))


def _long_text(document: OfferingDocument, field: language.LongTextField, context: FormContext) -> Any:
    return TextAreaField(**_limited(field, context, field.at_most, spellcheck="true"))


def _number(document: OfferingDocument, field: language.NumberField, context: FormContext) -> Any:
    mode = "numeric" if field.whole else "decimal"
    return StringField(**_limited(field, context, 20, inputmode=mode, spellcheck="false"))


def _boolean(document: OfferingDocument, field: language.BooleanField, context: FormContext) -> Any:
    return BooleanField(**_settings(field, context))


def _one_of(document: OfferingDocument, field: language.OneOfField, context: FormContext) -> Any:
    choices = _choices(document, field, context)
    settings = _settings(field, context)
    if field.choices_from is None and len(choices) <= MOST_RADIOS:
        return RadioField(**settings, choices=choices, validate_choice=False)
    return SelectField(**settings, choices=[SelectChoice("", "Choose one"), *choices], validate_choice=False)


def _some_of(document: OfferingDocument, field: language.SomeOfField, context: FormContext) -> Any:
    return SelectMultipleField(
        **_settings(field, context),
        choices=_choices(document, field, context),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


def _choices(
    document: OfferingDocument, field: language.OneOfField | language.SomeOfField, context: FormContext
) -> list[Any]:
    try:
        return [SelectChoice(choice.value, choice.label) for choice in orderable(document, field, context)]
    except ValueError:
        return []  # said on the field when the form is checked, and by the page before that


def _date(document: OfferingDocument, field: language.DateField, context: FormContext) -> Any:
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    settings = _settings(field, context, min=earliest.isoformat(), max=latest.isoformat())
    return StringField(**settings, widget=DateInput())


def _person(document: OfferingDocument, field: language.PersonField, context: FormContext) -> Any:
    listed = f"people-for-{field.name}"
    return StringField(**_limited(field, context, 300, spellcheck="false", list=listed))


def _lines(document: OfferingDocument, field: FormField, context: FormContext) -> Any:
    return TextAreaField(**_settings(field, context, spellcheck="false", autocapitalize="none"))


def _ports(document: OfferingDocument, field: language.PortsField, context: FormContext) -> Any:
    return StringField(**_limited(field, context, 2000, spellcheck="false"))


def _protocol(document: OfferingDocument, field: language.ProtocolField, context: FormContext) -> Any:
    choices = [SelectChoice(name, name.upper()) for name in field.protocols]
    return RadioField(**_settings(field, context), choices=choices, validate_choice=False)


def _csr(document: OfferingDocument, field: language.CsrField, context: FormContext) -> Any:
    return TextAreaField(**_settings(field, context, spellcheck="false", autocapitalize="none"))


_BUILDERS: Mapping[str, Callable[[OfferingDocument, Any, FormContext], Field]] = {
    "text": _text,
    "long_text": _long_text,
    "number": _number,
    "boolean": _boolean,
    "one_of": _one_of,
    "some_of": _some_of,
    "date": _date,
    "person": _person,
    "host_names": _lines,
    "networks": _lines,
    "ports": _ports,
    "protocol": _protocol,
    "csr": _csr,
}
