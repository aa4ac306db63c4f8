"""Evidence of a request whose end an access review moved or brought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.access_reviews.effects import end_by_silence, move_end
from catalog.access_reviews.model import ReviewItem
from catalog.entitlements.model import Entitlement
from catalog.requests.queries import find_id
from tests.reports.conftest import EvidenceWorld
from tests.reports.evidence.test_escalations import gathered, wrong_in

pytestmark = pytest.mark.on_sqlite

ITEM = ReviewItem(id=1, review_id=1, turn=1, said="")


def reviewed(world: EvidenceWorld, act: Callable[[Session, Entitlement], None]) -> Any:
    """The facts of a fulfilled request after a review has acted on what it brought."""
    with world.db.reading() as session:
        number = find_id(session, world.fulfilled())
    assert number is not None
    with world.db.transaction() as session:
        act(session, session.scalars(select(Entitlement).where(Entitlement.request_id == number)).one())
    world.shelves.work()
    return gathered(world, number)


def test_an_end_that_a_review_moved_is_told_and_no_other_is_believed(world: EvidenceWorld) -> None:
    day = world.clock() + timedelta(days=5)
    evidence = reviewed(world, lambda session, it: move_end(session, ITEM, it, day, actor=None, tell=False))
    assert wrong_in(evidence) == []
    (entitlement,) = evidence.entitlements
    longer = entitlement.model_copy(update={"ends_at": "2031-01-01T00:00:00+00:00"})
    assert wrong_in(evidence.model_copy(update={"entitlements": (longer,)})) != []


def test_an_end_that_a_review_brought_is_told(world: EvidenceWorld) -> None:
    evidence = reviewed(world, lambda session, it: end_by_silence(session, ITEM, it))
    assert wrong_in(evidence) == []
    assert evidence.entitlements[0].ended_at is not None
