"""The form of a draft: the text, or a file with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import FileField, Form, TextAreaField

from catalog.versions.drafting import written
from portal.core.errors import FieldError
from portal.core.language import _
from portal.core.strict_yaml import LARGEST


class DraftForm(Form):
    """An offering's text as YAML."""

    source = TextAreaField()
    file = FileField()

    def speak(self) -> DraftForm:
        """The labels in the reader's language."""
        self.source.label.text = _("Text of the offering")
        self.source.description = _(
            "YAML; the command countersign offerings schema describes it. It is checked when you save it."
        )
        self.file.label.text = _("Or take it from a file")
        self.file.description = _("It replaces the text above.")
        return self

    def tell(self, error: FieldError) -> None:
        """Show the error at its field."""
        found = self.file if error.field == "file" else self.source
        found.errors = [*found.errors, error.message]


def sent_source(form: DraftForm, files: Mapping[str, Any]) -> str:
    """The text that was sent: the file's where one was chosen. Raises FieldError for one that is no text."""
    file = files.get("file")
    if file is None or not file.filename:
        return written(form.source.data or "")
    content = file.read(LARGEST + 1)
    try:
        return written(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FieldError(
            "file", _("This file is not UTF-8 text. Save it as UTF-8, or choose another.")
        ) from None
