"""The form of language and mail."""

from __future__ import annotations

from wtforms import Form, RadioField

from portal.core.language import LANGUAGES, _

EACH, DAILY = "each", "daily"
FIELDS = frozenset({"csrf_token", "language", "mails"})


class MailForm(Form):
    """Two choices."""

    language = RadioField(validate_choice=False)
    mails = RadioField(validate_choice=False)

    def speak(self) -> MailForm:
        """Labels in the reader's language; each language by its own name."""
        self.language.label.text = _("Language of pages and mails")
        self.language.choices = list(LANGUAGES.items())
        self.mails.label.text = _("How often you get mail")
        self.mails.choices = [
            (EACH, _("A mail for each thing that happens, at once")),
            (DAILY, _("One mail a day, at 8:00 on your working days")),
        ]
        return self

    def hold(self) -> bool:
        """Whether both were chosen from what there is; says what is missing at its field."""
        if self.language.data not in LANGUAGES:
            self.language.errors = [_("Choose a language.")]
        if self.mails.data not in {EACH, DAILY}:
            self.mails.errors = [_("Choose how often you get mail.")]
        return not self.language.errors and not self.mails.errors
