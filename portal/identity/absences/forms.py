"""The form that adds an absence."""

from __future__ import annotations

from datetime import date
from typing import Any

from wtforms import DateField, Form

from portal.core.errors import FieldErrors
from portal.core.language import _


class DayField(DateField):
    """A day as browsers send it; what cannot be read is said in our own words."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep what was typed, and read the day if it is one."""
        text = str(valuelist[0]).strip() if valuelist else ""
        self.raw_data = [text]
        self.data = None
        if not text:
            return
        try:
            self.data = date.fromisoformat(text)
        except ValueError:
            raise ValueError(_("Enter the day like 2026-11-27.")) from None


class AbsenceForm(Form):
    """The first and the last day."""

    first_day = DayField()
    last_day = DayField()

    def speak(self) -> AbsenceForm:
        """The labels in the reader's language."""
        self.first_day.label.text = _("First day")
        self.last_day.label.text = _("Last day")
        self.last_day.description = _("Both days are included, in your time zone.")
        for field in (self.first_day, self.last_day):
            field.render_kw = {"autocomplete": "off"}
        return self

    def tell(self, problems: FieldErrors) -> None:
        """Show each problem at its field; a day that could not be read has said so itself."""
        for error in problems.errors:
            field = self[error.field]
            if not field.errors:
                field.errors = [error.message]
