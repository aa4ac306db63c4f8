"""Hours in words, and hours as people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalog.offerings.policy import TIMES
from catalog.offerings.windows import DAYS
from portal.core.language import N_, _

WEEKDAYS = dict(
    zip(
        DAYS,
        (
            N_("Monday"),
            N_("Tuesday"),
            N_("Wednesday"),
            N_("Thursday"),
            N_("Friday"),
            N_("Saturday"),
            N_("Sunday"),
        ),
        strict=True,
    )
)
_EACH = dict(
    zip(
        DAYS,
        (
            N_("Mondays %(begin)s to %(end)s"),
            N_("Tuesdays %(begin)s to %(end)s"),
            N_("Wednesdays %(begin)s to %(end)s"),
            N_("Thursdays %(begin)s to %(end)s"),
            N_("Fridays %(begin)s to %(end)s"),
            N_("Saturdays %(begin)s to %(end)s"),
            N_("Sundays %(begin)s to %(end)s"),
        ),
        strict=True,
    )
)
_OF_THE_MONTH = {
    "1st": N_("First %(weekday)s of the month %(begin)s to %(end)s"),
    "2nd": N_("Second %(weekday)s of the month %(begin)s to %(end)s"),
    "3rd": N_("Third %(weekday)s of the month %(begin)s to %(end)s"),
    "4th": N_("Fourth %(weekday)s of the month %(begin)s to %(end)s"),
    "last": N_("Last %(weekday)s of the month %(begin)s to %(end)s"),
}
_TIMES = re.compile(TIMES)
MOST_TIMES = 21


def hours_text(times: Iterable[str]) -> str:
    """Hours in the language that is spoken: `Tuesdays 20:00 to 23:00, Last Sunday of the month 02:00 to 06:00`."""
    return ", ".join(map(_one, times))


def read_hours(text: str) -> tuple[str, ...]:
    """Hours as they are typed, one a line or with commas between. Raises ValueError with a sentence."""
    given = [" ".join(part.lower().split()) for part in re.split(r"[,;\n]", text) if part.strip()]
    for part in given:
        if not _TIMES.fullmatch(part):
            raise ValueError(
                _(
                    "“%(part)s” is no hours. Write them like tue 20:00-23:00 or last sun 02:00-06:00.",
                    part=part[:60],
                )
            )
        hours = part.rsplit(" ", 1)[1]
        if hours.split("-")[0] == hours.split("-")[1] and hours != "00:00-00:00":
            raise ValueError(
                _("“%(part)s” begins when it ends. For a whole day write 00:00-00:00.", part=part[:60])
            )
    if not given:
        raise ValueError(_("Enter the hours."))
    if len(given) > MOST_TIMES:
        raise ValueError(_("These are more than %(number)s hours.", number=MOST_TIMES))
    return tuple(dict.fromkeys(given))


def _one(times: str) -> str:
    weekday, hours = times.rsplit(" ", 1)
    begin, end = hours.split("-")
    ordinal, _space, day = weekday.rpartition(" ")
    if ordinal:
        return _(_OF_THE_MONTH[ordinal], weekday=_(WEEKDAYS[day]), begin=begin, end=end)
    return _(_EACH[day], begin=begin, end=end)
