"""Offerings as WTForms: real fields with labels, hints and limits; catalog.offerings.answers checks what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms.fields import FileField

from catalog.offerings.answers import check_answers, is_asked
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from catalog.offerings.posted import FILE_SUFFIX, Posted, as_sent, posted
from catalog.offerings.several import check_people, people_in
from catalog.offerings.widgets.forms import BUILDERS
from portal.core.errors import FieldError, FieldErrors
from portal.core.language import _

__all__ = ["FILE_SUFFIX", "OfferingForm", "Posted", "answers_of", "build_form", "check_answers", "posted"]


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
        #: Several people that are named, once the form was checked; the answers are each one's own then.
        self.people: tuple[str, ...] = ()
        super().__init__(None if raw is None else _sent(self.document, raw))
        for field in self.document.fields:
            if field.kind in {"table", "file"}:
                rows = self.raw.get(field.name)
                self._fields[field.name].data = list(rows) if isinstance(rows, list | tuple) else []
        self.refuse(errors)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every answer by the offering's language; errors stand at their fields."""
        refused = bool(self.errors)
        self.people = people_in(self.document, self.raw)
        try:
            if self.people:
                # For each of them by themselves; whoever submits checks them again one by one.
                check_people(self.document, self.raw, self.people, self.context)
            else:
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
            if other.kind in {"one_of", "protocol", "boolean", "some_of", "group", "unit"}
            and self._fields[other.name].data
        }
        return is_asked(self.document, field, {**chosen, **self.answers}, self.context)


def build_form(document: OfferingDocument, context: FormContext) -> type[OfferingForm]:
    """The form's class, in the language that is spoken.

    Asks targets for their choices; one that does not answer shows on its field.
    """
    document = document.spoken()
    attributes: dict[str, Any] = {"document": document, "context": context}
    for field in document.fields:
        attributes[field.name] = BUILDERS[field.kind](document, field, context)
        if field.kind == "csr":
            attributes[field.name + FILE_SUFFIX] = FileField(
                _("Or upload the file"), render_kw={"accept": ".csr,.pem,.req,.p10,.der,.txt"}
            )
    return cast("type[OfferingForm]", type("FormOfOffering", (OfferingForm,), attributes))


def answers_of(form: OfferingForm) -> dict[str, Any]:
    """The checked answers of a form that validated."""
    return form.answers


def _sent(document: OfferingDocument, raw: Mapping[str, Any]) -> MultiDict[str, str]:
    # WTForms takes an empty form for one that was not sent, and would show the defaults again.
    return MultiDict({"csrf_token": [""], **as_sent(document, raw)})
