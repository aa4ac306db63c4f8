"""Reading who holds what, and checkpoints with the signatures of those who saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from portal.audit.holders.configured import Holders
from portal.audit.holders.model import Cosignature, HolderState
from portal.audit.model import Checkpoint
from portal.core.clock import now

#: Whoever lacks the last checkpoint for so much longer than it is meant to wait is late.
LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HolderLine:
    """One holder as pages and the command line show it. `kind` is a message; sizes are entries."""

    key: str
    kind: str
    name: str
    size: int
    held_at: datetime | None
    #: How many signed entries it does not have, and since when the first of them is signed.
    lag: int
    behind_since: datetime | None
    on_its_way: bool
    error: str
    tries: int
    next_at: datetime | None
    contradicts_since: datetime | None
    late: bool

    @property
    def well(self) -> bool:
        """Whether nobody needs to look."""
        return self.contradicts_since is None and not self.late


def holder_lines(session: Session, holders: Holders) -> list[HolderLine]:
    """Every holder that the settings name, in their order; two statements."""
    at = now(session)
    last, first_at = session.execute(select(func.max(Checkpoint.size), _first_after(0))).one()
    known = {
        state.key: (state, missing_at)
        for state, missing_at in session.execute(select(HolderState, _first_after(HolderState.size)))
    }
    lines = []
    for holder in holders:
        untried = HolderState(key=holder.key, size=0, given=0, tries=0)
        state, since = known.get(holder.key, (untried, first_at))
        lines.append(
            HolderLine(
                key=holder.key,
                kind=holder.kind,
                name=holder.name,
                size=state.size,
                held_at=state.held_at,
                lag=max(0, (last or 0) - state.size),
                behind_since=since,
                on_its_way=state.given > state.size,
                error=state.error or "",
                tries=state.tries,
                next_at=state.next_at,
                contradicts_since=state.contradicts_since,
                late=since is not None and at - since > holder.every + LATE,
            )
        )
    return lines


def contradicting() -> ScalarSelect[int]:
    """How many holders say that the ledger is another one; a part of somebody else's statement."""
    return select(func.count()).where(HolderState.contradicts_since.is_not(None)).scalar_subquery()


def cosigned_note(session: Session, size: int) -> str:
    """The checkpoint of this size with the signature lines of every witness that saw it, in a fixed order.

    Raises LookupError when no checkpoint of this size was signed.
    """
    checkpoint = session.get(Checkpoint, size)
    if checkpoint is None:
        message = f"No checkpoint of {size} entries was signed"
        raise LookupError(message)
    return checkpoint.note + "".join(f"{line}\n" for line in _lines(session, size))


def last_cosigned(session: Session, least: int) -> Checkpoint | None:
    """The newest checkpoint of at least this size that a witness signed; None when there is none."""
    statement = (
        select(Checkpoint)
        .join(Cosignature, Cosignature.size == Checkpoint.size)
        .where(Checkpoint.size >= least)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )
    return session.scalars(statement).first()


def _lines(session: Session, size: int) -> Sequence[str]:
    statement = (
        select(Cosignature.line)
        .where(Cosignature.size == size)
        .order_by(Cosignature.witness, Cosignature.key_id)
    )
    return session.scalars(statement).all()


def _first_after(size: Any) -> ScalarSelect[datetime | None]:
    """When the first checkpoint after this size, a number or a column, was signed."""
    statement = select(Checkpoint.at).where(Checkpoint.size > size).order_by(Checkpoint.size).limit(1)
    return cast("ScalarSelect[datetime | None]", statement.correlate(HolderState).scalar_subquery())
