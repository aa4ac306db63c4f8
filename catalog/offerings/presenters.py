"""An offering's form as its template needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.offerings import fields as language
from catalog.offerings.choices import orderable
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import label_of
from catalog.offerings.forms import FILE_SUFFIX, OfferingForm


@dataclass(frozen=True, slots=True)
class AskedField:
    """One field to show: the WTForms field, and what the macro needs beside it."""

    field: Any
    name: str
    kind: str
    example: str = ""
    suffix: str = ""
    rows: int = 5
    count: int = 0
    classes: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    #: Labels of the people to suggest, for a datalist of the id `people-for-<name>`.
    people: tuple[str, ...] = ()
    #: The file field that may be used instead of the text.
    upload: Any = None
    #: A sentence when the target that knows the choices does not answer.
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class AskedSection:
    """Fields under one heading."""

    title: str
    text: str
    code: str
    fields: tuple[AskedField, ...]


def asked_sections(form: OfferingForm) -> tuple[AskedSection, ...]:
    """The sections and fields to show now; what `show_when` hides is left out, and so is an empty section."""
    sections = (
        AskedSection(
            section.title,
            section.text or "",
            section.code or "",
            tuple(_asked(form, asked) for asked in section.fields if form.asks(asked)),
        )
        for section in form.document.form.sections
    )
    return tuple(section for section in sections if section.fields)


def _asked(form: OfferingForm, asked: FormField) -> AskedField:
    more: dict[str, Any] = {}
    if isinstance(asked, language.LongTextField):
        more = {"rows": asked.rows, "count": asked.at_most}
    elif isinstance(asked, language.NumberField):
        more = {"suffix": asked.unit or "", "classes": "govuk-input--width-5"}
    elif isinstance(asked, language.HostNamesField | language.NetworksField):
        more = {"rows": 4, "classes": "govuk-input--mono"}
    elif isinstance(asked, language.PortsField):
        more = {"classes": "govuk-input--mono govuk-input--width-20"}
    elif isinstance(asked, language.CsrField):
        more = {"rows": 10, "classes": "govuk-input--mono", "upload": form[asked.name + FILE_SUFFIX]}
    elif isinstance(asked, language.PersonField):
        people = form.context.people.suggestions()
        more = {"people": tuple(label_of(person) for person in people)}
    elif isinstance(asked, language.OneOfField | language.SomeOfField):
        more = _of_choices(form, asked)
    return AskedField(
        field=form[asked.name], name=asked.name, kind=asked.kind, example=asked.example or "", **more
    )


def _of_choices(form: OfferingForm, asked: language.OneOfField | language.SomeOfField) -> dict[str, Any]:
    try:
        choices = orderable(form.document, asked, form.context)
    except ValueError as error:
        return {"unavailable": str(error)}
    return {"hints": {choice.value: choice.hint for choice in choices if choice.hint}}
