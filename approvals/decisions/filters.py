"""Filters of the inbox: what of all that waits is listed, and what may be chosen there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select

from approvals.routing.model import Stage
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests.model import Request
from portal.identity.model import Person, Unit

RISKS = ("low", "medium", "high", "critical")
#: Longer than any name, slug or account; more is nobody's.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What is listed; an empty value means all of it. Offering and unit are slugs."""

    offering: str = ""
    risk: str = ""
    unit: str = ""
    #: Due before the reader's day is over, or late.
    today: bool = False
    #: Part of the requester's name, or their account name.
    asked_by: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """As an address has it; what is no filter of ours counts as none."""
        risk = query.get("risk", "")
        return cls(
            offering=query.get("offering", "")[:_LONGEST],
            risk=risk if risk in RISKS else "",
            unit=query.get("unit", "")[:_LONGEST],
            today=query.get("due") == "today",
            asked_by=query.get("by", "").replace("\x00", "").strip()[:_LONGEST],
        )

    @property
    def query(self) -> dict[str, str]:
        """As an address has it."""
        values = {
            "offering": self.offering,
            "risk": self.risk,
            "unit": self.unit,
            "due": "today" if self.today else "",
            "by": self.asked_by,
        }
        return {name: value for name, value in values.items() if value}

    def conditions(self, *, at: datetime, timezone: str) -> Iterator[ColumnElement[bool]]:
        """For a statement that joins requests and stages."""
        if self.offering:
            versions = (
                select(OfferingVersion.id)
                .join(Offering, Offering.id == OfferingVersion.offering_id)
                .where(Offering.slug == self.offering)
            )
            yield Request.offering_version_id.in_(versions)
        if self.risk:
            yield Request.risk["level"].as_string() == self.risk
        if self.unit:
            yield Request.unit_id.in_(select(Unit.id).where(Unit.slug == self.unit))
        if self.today:
            yield Stage.due_at < _end_of_day(at, timezone)
        if self.asked_by:
            people: Any = select(Person.id).where(
                or_(
                    Person.name.icontains(self.asked_by, autoescape=True),
                    Person.user_name == self.asked_by.lower().removeprefix("@"),
                )
            )
            yield Request.requester_id.in_(people)


def _end_of_day(at: datetime, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(0), tzinfo=zone)
