"""What stands in a field before anybody types: from the profile, from the calendar, or from the offering's text."""

from __future__ import annotations

from typing import Any

from catalog.offerings.fields import FormField, FromProfile, FromToday, UnitField
from catalog.offerings.form_context import FormContext, label_of


def default_of(field: FormField, context: FormContext) -> Any:
    """The field's default as it would be typed, or None."""
    default = getattr(field, "default", None)
    if isinstance(field, UnitField) and field.own:
        return context.actor.unit
    if isinstance(default, FromProfile):
        actor = context.actor
        return {
            "profile.self": label_of(actor),
            "profile.name": actor.name,
            "profile.email": actor.email,
            "profile.unit": actor.unit_name,
            "profile.title": actor.title,
        }[default.source]
    if isinstance(default, FromToday):
        return default.from_day(context.today)
    if isinstance(default, tuple):
        return list(default)
    return str(default) if isinstance(default, int | float) and not isinstance(default, bool) else default


def example_answers(field_values: Any, context: FormContext) -> dict[str, Any]:
    """The offering's worked example as it would be typed today; `days_from_today` becomes a date."""
    typed: dict[str, Any] = {}
    for name, value in field_values.items():
        if isinstance(value, FromToday):
            typed[name] = value.from_day(context.today)
        else:
            typed[name] = list(value) if isinstance(value, tuple) else value
    return typed
