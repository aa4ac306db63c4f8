"""An audit over requests that went their whole way, with the tasks that count and make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from portal.identity.actor import Actor
from portal.jobs import Workshop, run_due
from reports.audits.document import FixedRule
from reports.audits.jobs import handlers, on_set_aside
from reports.audits.model import Audit, AuditDraw
from reports.audits.ordering import Wanted, give_nonce, order
from tests.reports.conftest import EvidenceWorld

#: The cast's clock stands at 18 November 2026.
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@dataclass
class AuditWorld:
    """Requests and whoever audits them."""

    world: EvidenceWorld
    officer: Actor

    @property
    def workshop(self) -> Workshop:
        shelves = self.world.shelves
        return Workshop(
            shelves.db,
            shelves.settings,
            {**shelves.handlers, **handlers(self.world.bench.signer)},
            on_set_aside=on_set_aside,
        )

    def work(self) -> None:
        run_due(self.workshop)

    def ordered(self, **wanted: Any) -> int:
        """An audit over November, which waits to be counted."""
        first, last = NOVEMBER
        with self.world.db.transaction() as session:
            asked = {"first_day": first, "last_day": last, "rule": FixedRule(kind="fixed", size=2), **wanted}
            return order(session, self.officer, Wanted(**asked)).id

    def counted(self, **wanted: Any) -> Audit:
        number = self.ordered(**wanted)
        self.work()
        return self.audit(number)

    def drawn(self, audit_id: int, nonce: str = "blue heron") -> int:
        with self.world.db.transaction() as session:
            return give_nonce(session, self.officer, audit_id, nonce).id

    def audit(self, number: int) -> Audit:
        with self.world.db.reading() as session:
            return session.get_one(Audit, number)

    def draw(self, number: int) -> AuditDraw:
        with self.world.db.reading() as session:
            return session.scalars(select(AuditDraw).where(AuditDraw.id == number)).one()


@pytest.fixture
def audits(world: EvidenceWorld, actor_of: Callable[..., Actor]) -> AuditWorld:
    """On each database in turn."""
    return AuditWorld(world, actor_of(world.cast.compliance))
