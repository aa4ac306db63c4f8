"""The small form of an extension: a later end, and why."""

from __future__ import annotations

from typing import Any

from wtforms import Form, StringField, TextAreaField
from wtforms.validators import Length

from catalog.entitlements.extending.ask import Extending
from portal.core.errors import FieldErrors
from portal.core.language import _, spoken

FIELDS = ("end", "reason")


class ExtensionForm(Form):
    """The new end as a day or as a length, and the reason."""

    end = StringField(validators=[Length(max=40)])
    reason = TextAreaField(validators=[Length(max=4000)])

    def speak(self, asked: Extending) -> ExtensionForm:
        """The labels in the reader's language, by how the offering's end is given."""
        self.end.label.text = _("Until when?") if asked.way == "date" else _("For how much longer?")
        self.end.description = (
            _("The last day on which you need it.")
            if asked.way == "date"
            else _("Counted from the end that it has now. Write it like 90 minutes, 4 hours or 2 days.")
        )
        kind: dict[str, Any] = {"type": "date"} if asked.way == "date" else {}
        self.end.render_kw = {"autocomplete": "off", **kind}
        self.reason.label.text = _("Why do you need it for longer?")
        self.reason.description = _("Whoever decides reads it.")
        return self

    def tell(self, problems: FieldErrors) -> tuple[tuple[str, str], ...]:
        """Show each problem at its field; gives those of no field, as the summary takes them."""
        others = []
        for error in problems.errors:
            if error.field in FIELDS:
                field = self[error.field]
                if not field.errors:
                    field.errors = [spoken(error.message)]
            else:
                others.append((str(spoken(error.message)), ""))
        return tuple(others)
