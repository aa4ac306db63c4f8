"""The forms that set a window and a freeze."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import Form, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from catalog.changes.scopes import ASSET, Choice
from catalog.changes.setting import FreezeWish, WindowWish
from portal.core.errors import FieldErrors
from portal.core.language import _
from portal.identity.absences.forms import DayField


class _Scoped(Form):
    """What a window or a freeze is for, and in which zone it is written."""

    scope = SelectField(validate_choice=False)
    asset = StringField(validators=[Length(max=300)])
    timezone = StringField(validators=[Length(max=64)])

    def speak_scope(self, choices: Sequence[Choice], timezone: str) -> None:
        """The labels in the reader's language."""
        self.scope.label.text = _("For what")
        self.scope.choices = [(choice.value, choice.label) for choice in choices]
        self.asset.label.text = _("Asset")
        self.asset.description = _("Only where you chose one asset: its name or its id.")
        self.asset.render_kw = {"autocomplete": "off", "spellcheck": "false", "list": "assets"}
        self.timezone.label.text = _("Time zone")
        self.timezone.render_kw = {"autocomplete": "off", "spellcheck": "false"}
        if not self.timezone.data:
            self.timezone.data = timezone

    def tell(self, problems: FieldErrors) -> None:
        """Show each problem at its field; what could not be read has said so itself."""
        for error in problems.errors:
            field = self[error.field]
            if not field.errors:
                field.errors = [error.message]

    @property
    def asset_given(self) -> str:
        """The asset, where one is meant."""
        return self.asset.data or "" if self.scope.data == ASSET else ""


class WindowForm(_Scoped):
    """Hours that come round."""

    name = StringField(validators=[Length(max=200)])
    hours = TextAreaField(validators=[Length(max=1000)])

    def speak(self, choices: Sequence[Choice], timezone: str) -> WindowForm:
        """The labels in the reader's language."""
        self.speak_scope(choices, timezone)
        self.name.label.text = _("What it is called")
        self.hours.label.text = _("Hours")
        self.hours.description = _(
            "One a line, by the clock of the time zone, such as tue 20:00-23:00, 2nd sat 22:00-04:00 or"
            " last sun 02:00-06:00."
        )
        return self

    def wish(self) -> WindowWish:
        """What was typed."""
        return WindowWish(
            name=self.name.data or "",
            scope=self.scope.data or "",
            asset=self.asset_given,
            timezone=self.timezone.data or "",
            hours=self.hours.data or "",
        )


class FreezeForm(_Scoped):
    """From when until when nothing is carried out."""

    reason = StringField(validators=[Length(max=200)])
    begins_day = DayField()
    begins_time = StringField(validators=[Length(max=8)], default="00:00")
    ends_day = DayField()
    ends_time = StringField(validators=[Length(max=8)], default="00:00")

    def speak(self, choices: Sequence[Choice], timezone: str) -> FreezeForm:
        """The labels in the reader's language."""
        self.speak_scope(choices, timezone)
        self.reason.label.text = _("Why nothing is to be changed")
        self.begins_day.label.text = _("Begins on")
        self.begins_time.label.text = _("Begins at")
        self.ends_day.label.text = _("Ends on")
        self.ends_time.label.text = _("Ends at")
        for field in (self.begins_day, self.ends_day, self.begins_time, self.ends_time):
            field.render_kw = {"autocomplete": "off"}
        return self

    def wish(self) -> FreezeWish:
        """What was typed."""
        return FreezeWish(
            reason=self.reason.data or "",
            scope=self.scope.data or "",
            asset=self.asset_given,
            timezone=self.timezone.data or "",
            begins_day=self.begins_day.data,
            begins_time=self.begins_time.data or "",
            ends_day=self.ends_day.data,
            ends_time=self.ends_time.data or "",
        )


WINDOW_FIELDS = ("name", "hours", "scope", "asset", "timezone")
FREEZE_FIELDS = (
    "reason",
    "begins_day",
    "begins_time",
    "ends_day",
    "ends_time",
    "scope",
    "asset",
    "timezone",
)
