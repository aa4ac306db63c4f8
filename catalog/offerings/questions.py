"""What every field of an offering's form has, and where defaults and choices come from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from catalog.offerings.words import Cel, Line, Name, Part, Sample, Slug, Text


class FromProfile(Part):
    """A default taken from the profile of the person who fills the form in."""

    source: Literal["profile.self", "profile.name", "profile.email", "profile.unit", "profile.title"] = Field(
        alias="from"
    )


class FromToday(Part):
    """A day that lies so many days after the one on which the form is opened; at a time, where a moment is needed."""

    days_from_today: int = Field(ge=0, le=3650)
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None

    def from_day(self, today: date) -> str:
        """As it would be typed: an ISO date, or `2027-01-31T22:00`."""
        day = (today + timedelta(days=self.days_from_today)).isoformat()
        return f"{day}T{self.at}" if self.at else day


def _written_as(value: Any) -> str:
    return "from" if isinstance(value, dict | FromProfile) else "text"


TextDefault = Annotated[
    Annotated[str, Tag("text")] | Annotated[FromProfile, Tag("from")], Discriminator(_written_as)
]


class StaticChoice(Part):
    """One value that may be chosen."""

    value: Annotated[str, Field(min_length=1, max_length=120)]
    label: Line
    hint: Line | None = None
    #: What the choice counts in `score`, for questionnaires.
    points: int | None = Field(default=None, ge=0, le=1000)


class ChoicesFrom(Part):
    """Choices that are read from a connector's target when the form is shown and again when it is sent."""

    connector: Slug
    name: Name


class Question(Part):
    """What every field has. A field that `show_when` hides is not asked and has no answer."""

    name: Name
    label: Line
    hint: Text | None = None
    example: Sample | None = None
    required: bool = True
    show_when: Cel | None = None
    #: What is said when a required field was left out; a sentence is made from the label without it.
    missing: Line | None = None
