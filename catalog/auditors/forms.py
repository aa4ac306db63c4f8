"""The form of an auditor's mandate."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import Form, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.errors import FieldError
from portal.core.language import _
from portal.identity.absences.forms import DayField
from portal.identity.auditors.giving import Wish

FIELDS = ("person", "first_day", "last_day", "units", "offerings", "since", "until")


def _boxes() -> SelectMultipleField:
    return SelectMultipleField(
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=False
    )


class MandateForm(Form):
    """Whose account it is, its days, and its scope."""

    person = StringField()
    first_day = DayField()
    last_day = DayField()
    units = _boxes()
    offerings = _boxes()
    since = DayField()
    until = DayField()

    def speak(
        self, units: Sequence[tuple[str, str]], offerings: Sequence[tuple[str, str]], zone: str
    ) -> MandateForm:
        """The labels in the reader's language, and what there is to choose from."""
        self.person.label.text = _("Whose account?")
        self.person.description = _("The user name. The account must have no other part in the portal.")
        self.first_day.label.text = _("First day")
        self.last_day.label.text = _("Last day")
        self.last_day.description = _("Both days are included. Time zone: %(zone)s.", zone=zone)
        self.units.label.text = _("Only requests for people in these units")
        self.units.description = _("Units below a chosen one are included. Choose none for all.")
        self.units.choices = list(units)
        self.offerings.label.text = _("Only requests for these services")
        self.offerings.description = _("Choose none for all.")
        self.offerings.choices = list(offerings)
        self.since.label.text = _("Only requests made from")
        self.until.label.text = _("Only requests made until")
        self.until.description = _("Leave both empty for any time.")
        for field in (self.person, self.first_day, self.last_day, self.since, self.until):
            field.render_kw = {"autocomplete": "off"}
        return self

    def wish(self) -> Wish:
        """What it asks for. Raises FieldError where a day of it is missing or cannot be read."""
        first, last = self.first_day.data, self.last_day.data
        if first is None:
            raise FieldError("first_day", _("Enter the first day."))
        if last is None:
            raise FieldError("last_day", _("Enter the last day."))
        for field in (self.since, self.until):
            if field.errors:
                raise FieldError(field.name, field.errors[0])
        return Wish(
            first,
            last,
            tuple(self.units.data or ()),
            tuple(self.offerings.data or ()),
            self.since.data,
            self.until.data,
        )

    def tell(self, problem: FieldError) -> None:
        """Show the problem at its field; a day that could not be read has said so itself."""
        field = self[problem.field]
        if not field.errors:
            field.errors = [problem.message]
