"""The form that orders an audit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from wtforms import Form, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.errors import FieldError, FieldErrors
from portal.core.language import LANGUAGES, _, language
from portal.identity.absences.forms import DayField
from reports.audits.document import AttributeRule, FixedRule, PercentRule
from reports.audits.ordering import Wanted, read_rule
from reports.audits.wanted import Choices, Period

OWN = "own"
FIELDS = (
    "period",
    "first_day",
    "last_day",
    "units",
    "offerings",
    "controls",
    "rule",
    "size",
    "percent",
    "least",
    "most",
    "confidence",
    "tolerable",
    "language",
    "disclosure",
)


def _boxes() -> SelectMultipleField:
    return SelectMultipleField(
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=False
    )


class OrderForm(Form):
    """The period, what is looked at, how large the sample is, and what the bundle shows."""

    period = RadioField(default="month", validate_choice=False)
    first_day = DayField()
    last_day = DayField()
    units = _boxes()
    offerings = _boxes()
    controls = _boxes()
    rule = RadioField(default="fixed", validate_choice=False)
    size = StringField(default="25", validators=[Length(max=5)])
    percent = StringField(default="10", validators=[Length(max=10)])
    least = StringField(default="5", validators=[Length(max=5)])
    most = StringField(default="60", validators=[Length(max=5)])
    confidence = SelectField(default="0.95", validate_choice=False)
    tolerable = StringField(default="5", validators=[Length(max=10)])
    language = RadioField(validate_choice=False)
    disclosure = RadioField(default="whole", validate_choice=False)

    def speak(self, choices: Choices, periods: Mapping[str, Period], zone: str) -> OrderForm:
        """The labels in the reader's language, and what there is to choose from."""
        self._speak_period(periods, zone)
        for field, label, offered in (
            (self.units, _("Only for people in these units"), list(choices.units.items())),
            (self.offerings, _("Only of these services"), list(choices.offerings.items())),
            (
                self.controls,
                _("Only what supports one of these controls"),
                [(one, one) for one in choices.controls],
            ),
        ):
            field.label.text = label
            field.choices = offered
        self.units.description = _("Units below a chosen one are included. Choose none for all.")
        self.offerings.description = self.controls.description = _("Choose none for all.")
        self._speak_rule()
        self.language.label.text = _("Language of the pages")
        self.language.choices = list(LANGUAGES.items())
        self.language.data = self.language.data or language()
        self.disclosure.label.text = _("What the bundle shows of the ledger")
        self.disclosure.choices = [
            ("whole", _("Every entry of the period")),
            ("scope", _("Only entries about the requests looked at")),
        ]
        return self

    def _speak_period(self, periods: Mapping[str, Period], zone: str) -> None:
        self.period.label.text = _("Which period")
        self.period.description = _(
            "Requests that were submitted in it. Time zone: %(zone)s.",
            zone=zone,
        )
        named = {
            "month": _("Last month"),
            "quarter": _("Last quarter"),
            "year": _("Last year"),
            "now": _("This month, up to now"),
        }
        self.period.choices = [*((name, named[name]) for name in periods), (OWN, _("Other days"))]
        self.first_day.label.text = _("First day")
        self.last_day.label.text = _("Last day")
        self.last_day.description = _(
            "Both days are included. If the last day is today, the period ends at the moment of your order."
        )
        for field in (self.first_day, self.last_day):
            field.render_kw = {"autocomplete": "off"}

    def _speak_rule(self) -> None:
        self.rule.label.text = _("How large the sample is")
        self.rule.choices = [
            ("fixed", _("A number")),
            ("percent", _("A share of the population")),
            ("attribute", _("As large as a statement needs")),
        ]
        self.size.label.text = _("How many requests")
        self.percent.label.text = _("Per cent of the population")
        self.least.label.text = _("But at least")
        self.most.label.text = _("And at most")
        self.confidence.label.text = _("How sure the statement is")
        self.confidence.choices = [("0.9", "90 %"), ("0.95", "95 %"), ("0.99", "99 %")]
        self.tolerable.label.text = _("Deviating requests that are tolerable, in per cent")
        for field in (self.size, self.percent, self.least, self.most, self.tolerable):
            field.render_kw = {"autocomplete": "off", "inputmode": "decimal"}

    def wanted(self, periods: Mapping[str, Period]) -> Wanted:
        """What was typed. Raises FieldErrors for numbers that are none, and for days beside a period that has its own."""
        chosen = periods.get(self.period.data or "")
        if chosen and (
            typed := [one.name for one in (self.first_day, self.last_day) if any(one.raw_data or ())]
        ):
            # Whoever typed days would else be given a report about others.
            raise FieldErrors(tuple(FieldError(name, _("Only for other days.")) for name in typed))
        return Wanted(
            first_day=chosen.first_day if chosen else self.first_day.data,
            last_day=chosen.last_day if chosen else self.last_day.data,
            rule=self._rule(),
            units=tuple(self.units.data or ()),
            offerings=tuple(self.offerings.data or ()),
            controls=tuple(self.controls.data or ()),
            language=self.language.data or "",
            disclosure=self.disclosure.data or "",
        )

    def tell(self, problems: FieldErrors) -> None:
        """Show each problem at its field; a day that could not be read has said so itself."""
        for error in problems.errors:
            field = self[error.field]
            if not field.errors:
                field.errors = [error.message]

    def _rule(self) -> FixedRule | PercentRule | AttributeRule:
        match self.rule.data:
            case "fixed":
                return read_rule({"kind": "fixed", "size": _whole(self.size)})
            case "percent":
                return read_rule(
                    {
                        "kind": "percent",
                        "percent": _decimal(self.percent),
                        "least": _whole(self.least),
                        "most": _whole(self.most),
                    }
                )
            case "attribute":
                return read_rule(
                    {
                        "kind": "attribute",
                        "confidence": self.confidence.data or "",
                        "tolerable": _decimal(self.tolerable, per_cent=True),
                    }
                )
        raise FieldErrors((FieldError("rule", _("Choose how large the sample is.")),))


def _whole(field: StringField) -> int:
    typed = (field.data or "").strip()
    if not typed.isascii() or not typed.isdecimal():
        raise FieldErrors((FieldError(field.name, _("Give a whole number, such as 25.")),))
    return int(typed)


def _decimal(field: StringField, *, per_cent: bool = False) -> str:
    """The number as audit.json writes it; of per cent, the part of one."""
    try:
        typed = Decimal((field.data or "").strip().replace(",", "."))
    except InvalidOperation:
        typed = Decimal("NaN")
    if not typed.is_finite():
        raise FieldErrors((FieldError(field.name, _("Give a number, such as 5 or 2.5.")),))
    return f"{(typed / 100 if per_cent else typed).normalize():f}"
