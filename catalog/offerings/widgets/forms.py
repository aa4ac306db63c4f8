"""Fields of the language as fields of WTForms: one table from a kind to what builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from wtforms.fields import (
    BooleanField,
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, DateInput, DateTimeLocalInput, EmailInput, ListWidget

from catalog.offerings import fields as language
from catalog.offerings.choices import directory_choices, orderable
from catalog.offerings.defaults import default_of
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from portal.core.language import _

#: With so few choices all of them are shown at once.
MOST_RADIOS = 6


class RowsField(Field):
    """Rows of a table, or files. What was typed stands in `data`; its template draws the cells."""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Nothing is read here: the form gives the rows as they were posted."""
        self.process_errors = []
        self.data = data if isinstance(data, list) else []


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
    return SelectField(
        **settings, choices=[SelectChoice("", _("Choose one")), *choices], validate_choice=False
    )


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


#: Characters that the names of several people may have together.
MOST_NAMES = 10_000


def _person(document: OfferingDocument, field: language.PersonField, context: FormContext) -> Any:
    if field.several:
        return TextAreaField(**_limited(field, context, MOST_NAMES, spellcheck="false"))
    listed = f"people-for-{field.name}"
    return StringField(**_limited(field, context, 300, spellcheck="false", list=listed))


def _lines(document: OfferingDocument, field: FormField, context: FormContext) -> Any:
    return TextAreaField(**_settings(field, context, spellcheck="false", autocapitalize="none"))


def _ports(document: OfferingDocument, field: language.PortsField, context: FormContext) -> Any:
    return StringField(**_limited(field, context, 2000, spellcheck="false"))


def _protocol(document: OfferingDocument, field: language.ProtocolField, context: FormContext) -> Any:
    choices = [SelectChoice(name, name.upper()) for name in field.protocols]
    return RadioField(**_settings(field, context), choices=choices, validate_choice=False)


def _rows_like(document: OfferingDocument, field: FormField, context: FormContext) -> Any:
    validators = [] if field.required else [Optional()]
    return RowsField(label=field.label, description=field.hint or "", validators=validators)


def _asset(document: OfferingDocument, field: language.AssetField, context: FormContext) -> Any:
    listed = f"assets-for-{field.name}"
    return StringField(**_limited(field, context, 300, spellcheck="false", list=listed))


def _csr(document: OfferingDocument, field: language.CsrField, context: FormContext) -> Any:
    return TextAreaField(**_settings(field, context, spellcheck="false", autocapitalize="none"))


def _email(document: OfferingDocument, field: language.EmailField, context: FormContext) -> Any:
    settings = _limited(field, context, field.at_most, spellcheck="false", inputmode="email")
    return StringField(**settings, widget=EmailInput())


def _host_name(document: OfferingDocument, field: language.HostNameField, context: FormContext) -> Any:
    return StringField(**_limited(field, context, 253, spellcheck="false", autocapitalize="none"))


def _date_time(document: OfferingDocument, field: language.DateTimeField, context: FormContext) -> Any:
    earliest = context.today + timedelta(days=field.earliest_days)
    latest = context.today + timedelta(days=field.latest_days)
    settings = _settings(field, context, min=f"{earliest}T00:00", max=f"{latest}T23:59")
    return StringField(**settings, widget=DateTimeLocalInput())


def _duration(document: OfferingDocument, field: language.DurationField, context: FormContext) -> Any:
    return StringField(**_limited(field, context, 20, spellcheck="false"))


def _from_directory(
    document: OfferingDocument, field: language.GroupField | language.UnitField, context: FormContext
) -> Any:
    listed = directory_choices(f"{field.kind}s", context)
    choices = [SelectChoice(choice.value, choice.label) for choice in listed]
    return SelectField(
        **_settings(field, context),
        choices=[SelectChoice("", _("Choose one")), *choices],
        validate_choice=False,
    )


def _table(document: OfferingDocument, field: language.TableField, context: FormContext) -> Any:
    return RowsField(**_settings(field, context))


BUILDERS: Mapping[str, Callable[[OfferingDocument, Any, FormContext], Field]] = {
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
    "file": _rows_like,
    "asset": _asset,
    "email": _email,
    "host_name": _host_name,
    "date_time": _date_time,
    "duration": _duration,
    "group": _from_directory,
    "unit": _from_directory,
    "table": _table,
}
