"""What holds in one unit: whom it asks instead, when its people work, how long its stages may take.

A unit inherits from the unit above it, so the holding says what holds everywhere and a subsidiary only what differs.
What is inherited is worked out when the organisation is imported: reading a unit is reading one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """`approver_groups` and `targets` are by slug; `days` are ISO weekdays and `hours` as `09:00-17:00`, or empty.

    A target's key is a stage (`line-manager`), or a stage of one offering (`firewall-rule/line-manager`); its value
    is working minutes.
    """

    approver_groups: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, int] = field(default_factory=dict)
    days: frozenset[int] = frozenset()
    hours: str = ""
    days_off: frozenset[date] = frozenset()

    def group_for(self, slug: str) -> str:
        """The group that decides here where an offering names this one."""
        return self.approver_groups.get(slug, slug)

    def target_for(self, offering: str, stage: str, otherwise: int) -> int:
        """How many working minutes the stage may take here."""
        return self.targets.get(f"{offering}/{stage}", self.targets.get(stage, otherwise))

    def below(self, above: UnitSettings) -> UnitSettings:
        """These settings with everything that they leave open taken from the unit above."""
        return UnitSettings(
            approver_groups={**above.approver_groups, **self.approver_groups},
            targets={**above.targets, **self.targets},
            days=self.days or above.days,
            hours=self.hours or above.hours,
            days_off=above.days_off | self.days_off,
        )

    def to_json(self) -> dict[str, Any]:
        """As the unit's row keeps it; what says nothing is left out."""
        kept = {
            "approver_groups": dict(sorted(self.approver_groups.items())),
            "targets": dict(sorted(self.targets.items())),
            "days": sorted(self.days),
            "hours": self.hours,
            "days_off": [day.isoformat() for day in sorted(self.days_off)],
        }
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> UnitSettings:
        """What `to_json` gave."""
        return cls(
            approver_groups=kept.get("approver_groups", {}),
            targets=kept.get("targets", {}),
            days=frozenset(kept.get("days", ())),
            hours=kept.get("hours", ""),
            days_off=frozenset(date.fromisoformat(day) for day in kept.get("days_off", ())),
        )
