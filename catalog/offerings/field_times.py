"""Fields of time: a moment, and how long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from catalog.offerings.questions import FromToday, Question
from catalog.offerings.words import Duration


class DateTimeField(Question):
    """A moment to the minute, in the zone of the person who answers. Days count from today; zero is today."""

    kind: Literal["date_time"]
    default: FromToday | None = None
    earliest_days: int = Field(default=0, ge=-3650, le=3650)
    latest_days: int = Field(default=365, ge=0, le=3650)


class DurationField(Question):
    """How long: minutes, hours or days of 24 hours, written such as 90m, 4h or 2d."""

    kind: Literal["duration"]
    default: Duration | None = None
    at_least: Duration = "1m"
    at_most: Duration = "365d"
