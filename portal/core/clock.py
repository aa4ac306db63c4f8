"""Time as the portal sees it: always aware UTC, always from one replaceable clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol, cast

from sqlalchemy.orm import Session


class Clock(Protocol):
    """Where the time comes from; tests bring one that stands still."""

    def __call__(self) -> datetime:
        """The time now, aware, in UTC."""
        ...


def system_clock() -> datetime:
    """The machine's clock, aware, in UTC."""
    return datetime.now(UTC)


def now(session: Session) -> datetime:
    """The time now by the clock that the session's database was opened with."""
    return cast("Clock", session.info["clock"])()
