"""What a round found, told to whoever stands above (see portal.wiring)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerFoundOdd:
    """Something does not fit that fitted in the round before: the first sentence, and how many there are."""

    why: str
    findings: int
