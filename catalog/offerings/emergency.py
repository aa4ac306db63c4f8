"""The language of emergencies: who convenes, what first aid may do, and by when it is looked at again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from catalog.offerings.route import Approvers
from catalog.offerings.words import (
    Duration,
    Line,
    Name,
    Part,
    Slug,
    Text,
    Word,
    WorkingTime,
    minutes_of,
    span_of,
)

#: The stages that take the place of a whole route. No offering may call one of its own stages so.
COMMITTEE, BREAK_GLASS, STANDING = "emergency-committee", "break-glass", "standing-approval"
RESERVED = frozenset({COMMITTEE, BREAK_GLASS, STANDING})
#: From so many open reviews on, one more of the next committee must agree.
DEBT_LIMIT = 3


class Seat(Part):
    """One role in the committee, and who fills it."""

    name: Line
    approvers: Approvers


class FirstAid(Part):
    """What may be done in an emergency, and nothing else: these steps, and in these fields only these choices."""

    steps: tuple[Slug, ...] = Field(min_length=1, max_length=20)
    choices: dict[Name, Annotated[tuple[str, ...], Field(min_length=1, max_length=200)]] = Field(
        default_factory=dict
    )


class Emergency(Part):
    """How an emergency of this offering is decided, bounded and reviewed.

    `quorum` counts distinct people over all seats. The stages of the ordinary route are not asked: they are told at
    once and review it afterwards. Not reviewed within `review`, counted by the clock, it is undone.
    """

    committee: tuple[Seat, ...] = Field(min_length=1, max_length=10)
    quorum: int = Field(default=2, ge=2, le=20)
    target: WorkingTime = "30m"
    #: The authentication context that is demanded of the committee's sign-in.
    acr: Word | None = None
    text: Text | None = None
    first_aid: FirstAid
    review: Duration = "24h"
    debt_limit: int = Field(default=DEBT_LIMIT, ge=1, le=100)

    @property
    def target_minutes(self) -> int:
        """Working minutes that the committee may take."""
        return minutes_of(self.target)

    @property
    def review_minutes(self) -> int:
        """Minutes by the clock within which it must be reviewed."""
        return span_of(self.review)
