"""The scope of an auditor's account, as every read path asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class AuditScope:
    """What an auditor's account may see. None of units, offerings, since, until is no limit; empty is nothing."""

    mandate_id: int
    begins_at: datetime
    #: Exclusive.
    ends_at: datetime
    #: Whether it holds now: after its first moment, before its last, and not ended.
    running: bool
    #: The organisation's, by which its days are said.
    zone: ZoneInfo
    #: With those below them: numbers and slugs.
    units: frozenset[int] | None = None
    unit_slugs: frozenset[str] | None = None
    offerings: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def first_day(self) -> date:
        """The first day on which it holds."""
        return self.begins_at.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        """The last one."""
        return (self.ends_at - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def limited(self) -> bool:
        """Whether there is anything that it leaves out."""
        return any(part is not None for part in (self.units, self.offerings, self.since, self.until))
