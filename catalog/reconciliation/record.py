"""The portal's record as a target is compared with it: entitlements by key, a batch at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Plan
from catalog.fulfilment.model import Step

T = TypeVar("T")
#: Things that are looked up, and written, at once.
BATCH = 500


class Recorded(NamedTuple):
    """One entitlement, and the plan that was sealed for it."""

    id: int
    key: str
    state: EntitlementState
    plan: Plan


def in_batches(things: Iterator[T], size: int = BATCH) -> Iterator[list[T]]:
    """The things, so many at a time; no more of them are held at once."""
    while batch := list(islice(things, size)):
        yield batch


def recorded(
    session: Session, kind: str, keys: Collection[str], *, since: datetime
) -> Mapping[str, Sequence[Recorded]]:
    """What allows these keys now, or did until after `since`, by key; one statement."""
    rows = session.execute(
        select(Entitlement.id, Entitlement.key, Entitlement.state, Step.plan)
        .join(Step, Step.id == Entitlement.step_id)
        .where(
            Entitlement.connector == kind,
            Entitlement.key.in_(keys),
            or_(Entitlement.state != EntitlementState.ENDED, Entitlement.ended_at >= since),
        )
        .order_by(Entitlement.id)
    )
    found: dict[str, list[Recorded]] = {}
    for number, key, state, plan in rows:
        found.setdefault(key, []).append(Recorded(number, key, state, Plan.from_json(plan)))
    return found


def recorded_as_live(session: Session, kind: str, *, at: datetime) -> Iterator[list[tuple[int, str]]]:
    """Number and key of everything that is recorded as live on this target, in batches.

    What is past its end is being taken away, or the target has ended it by itself.
    """
    after = 0
    while True:
        rows = session.execute(
            select(Entitlement.id, Entitlement.key)
            .where(
                Entitlement.connector == kind,
                Entitlement.state == EntitlementState.LIVE,
                or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > at),
                Entitlement.id > after,
            )
            .order_by(Entitlement.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        after = rows[-1].id
        yield [(number, key) for number, key in rows]
