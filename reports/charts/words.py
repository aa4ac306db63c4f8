"""Numbers as charts say them."""

from __future__ import annotations

from babel.numbers import format_percent

from portal.core.language import _, locale
from portal.core.times import number


def percent(share: float) -> str:
    """A share from 0 to 1: `97.5%`. Never rounded up to all or down to nothing."""
    rounded = round(share, 3)
    if rounded >= 1 > share:
        rounded = 0.999
    if rounded <= 0 < share:
        rounded = 0.001
    pattern = str(locale().percent_formats[None].pattern).replace("#,##0", "#,##0.#")
    return str(format_percent(rounded, pattern, locale=locale()))


def hours(minutes: float) -> str:
    """Time given in minutes, in hours: `3.5 h`; from ten hours on without a tenth."""
    value = minutes / 60
    return _("%(hours)s h", hours=number(round(value, 1) if value < 10 else round(value)))  # noqa: PLR2004
