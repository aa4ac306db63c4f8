"""The forms that place and lift a hold."""

from __future__ import annotations

from wtforms import DateField, Form, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from portal.core.errors import FieldError
from portal.core.language import _
from reports.erasing.holds import Target
from reports.erasing.model import HoldKind


class HoldForm(Form):
    """What to keep, and why."""

    kind = SelectField(validate_choice=False)
    target = StringField()
    first_day = DateField(validators=[Optional()])
    last_day = DateField(validators=[Optional()])
    reason = TextAreaField()

    def speak(self) -> HoldForm:
        """The labels in the reader's language."""
        self.kind.label.text = _("What to keep")
        self.kind.choices = [
            (HoldKind.PERSON.value, _("A person and the requests by or for them")),
            (HoldKind.REQUEST.value, _("One request")),
            (HoldKind.UNIT.value, _("A unit with those below it, and their requests")),
            (HoldKind.PERIOD.value, _("All requests submitted on some days")),
        ]
        self.target.label.text = _("User name, reference or short name of the unit")
        self.target.description = _("Leave it empty for days.")
        self.first_day.label.text = _("First day")
        self.last_day.label.text = _("Last day")
        self.last_day.description = _("Only for days, both included, in UTC.")
        self.reason.label.text = _("Why")
        for field in (self.target, self.first_day, self.last_day):
            field.render_kw = {"autocomplete": "off"}
        return self

    def wanted(self) -> Target:
        """What the form names. Raises FieldError."""
        self.validate()
        try:
            kind = HoldKind(str(self.kind.data))
        except ValueError as error:
            raise FieldError("kind", _("Choose what to keep.")) from error
        return Target(kind, str(self.target.data or "").strip(), self.first_day.data, self.last_day.data)

    def tell(self, problem: FieldError) -> None:
        """Show the problem at its field."""
        self[problem.field].errors = [problem.message]
