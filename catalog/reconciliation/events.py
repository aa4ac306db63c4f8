"""What happens to findings, told to whoever stands beside or above (see portal.wiring)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingOpened:
    """Something unexplained, missing or drifted was found, or is something else than it was."""

    finding_id: int


@dataclass(frozen=True, slots=True)
class FindingClosed:
    """It is explained now, or gone."""

    finding_id: int
