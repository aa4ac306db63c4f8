"""The pages of figures, by their names in an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.core.language import N_
from reports.figures.care import care
from reports.figures.estate import estate
from reports.figures.resting import resting
from reports.figures.sheet import Asked, Sheet
from reports.figures.speed import speed


@dataclass(frozen=True, slots=True)
class Part:
    """One page; its name is spoken where it is shown."""

    name: str
    make: Callable[[Session, Asked], Sheet]
    #: Whether readers choose offering, unit and days of their own.
    narrowed: bool = True


FIRST = "speed"
PARTS: Mapping[str, Part] = {
    FIRST: Part(N_("Speed and outcomes"), speed),
    "resting": Part(N_("Where it rests"), resting),
    "estate": Part(N_("Estate and emergencies"), estate),
    "care": Part(N_("Care in deciding"), care, narrowed=False),
}
