"""The form that gives a delegation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from wtforms import Form, RadioField, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from approvals.delegation.give import Wish
from portal.core.errors import FieldErrors
from portal.core.language import _
from portal.identity.absences.forms import DayField

EVERY, SOME = "every", "some"
FIELDS = frozenset({"csrf_token", "substitute", "first_day", "last_day", "which", "offerings"})


class DelegationForm(Form):
    """Who decides in one's place, when, and which services."""

    substitute = StringField(validators=[Length(max=300)])
    first_day = DayField()
    last_day = DayField()
    which = RadioField(default=EVERY, validate_choice=False)
    offerings = SelectMultipleField(
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=False
    )

    def speak(self, offerings: Sequence[tuple[str, str]], today: date) -> DelegationForm:
        """The labels in the reader's language, and the services to choose from as (slug, name)."""
        self.substitute.label.text = _("Who decides in your place")
        self.substitute.description = _("One person. Start typing the name, or enter the account name.")
        self.first_day.label.text = _("First day")
        self.last_day.label.text = _("Last day")
        self.last_day.description = _("Both days are included, in your time zone.")
        self.which.label.text = _("Which requests")
        self.which.choices = [(EVERY, _("All that I may decide")), (SOME, _("Only for these services"))]
        self.offerings.label.text = _("Services")
        self.offerings.choices = list(offerings)
        for field in (self.substitute, self.first_day, self.last_day):
            field.render_kw = {"autocomplete": "off"}
        self.substitute.render_kw = {"autocomplete": "off", "spellcheck": "false", "list": "people"}
        for field in (self.first_day, self.last_day):
            field.render_kw = {"autocomplete": "off", "min": today.isoformat()}
        return self

    def wish(self) -> Wish:
        """What was typed."""
        return Wish(
            substitute=self.substitute.data or "",
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            every=self.which.data != SOME,
            offerings=tuple(self.offerings.data or ()) if self.which.data == SOME else (),
        )

    def tell(self, problems: FieldErrors) -> None:
        """Show each problem at its field; a day that could not be read has said so itself."""
        for error in problems.errors:
            field = self[error.field]
            if not field.errors:
                field.errors = [error.message]
