"""Requests written straight into the tables: figures are about many, and their ways are proved elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from approvals.decisions.model import CardOpening, Decision, Verdict
from approvals.emergency.model import Cause, Review, ReviewState
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.offerings.model import Offering, OfferingVersion
from catalog.reconciliation.model import Reading
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.database import Database
from portal.identity.actor import Actor
from portal.identity.model import Person, Unit
from reports.figures.period import Period, period_of
from reports.figures.scope import scope_of
from reports.figures.sheet import Asked, Sheet
from tests.fixtures_people import Cast, StandingClock


@dataclass
class Written:
    """What was written so far."""

    db: Database
    cast: Cast
    clock: StandingClock
    actor_of: Callable[..., Actor]
    versions: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def at(self, **before: float) -> datetime:
        """So long before now."""
        return self.clock() - timedelta(**before)

    def add(self, table: type, **values: Any) -> int:
        """One row; gives its number."""
        with self.db.transaction() as session:
            row = table(**values)
            session.add(row)
            session.flush()
            return int(getattr(row, "id", 0))

    def offering(self, slug: str, name: str, owner: str = "crm-owners") -> int:
        """An offering; gives its version's number."""
        number = self.add(Offering, slug=slug, retired=False)
        self.versions[slug] = self.add(
            OfferingVersion,
            offering_id=number,
            number=1,
            digest=f"sha256:{slug}",
            document={"name": name, "owner": owner},
            source="",
            published_at=self.at(days=400),
        )
        return self.versions[slug]

    def request(
        self, state: State = State.PENDING, *, offering: str = "role", unit: int = 1, **values: Any
    ) -> int:
        """A request, submitted two hours ago unless said otherwise."""
        if offering not in self.versions:
            self.offering(offering, offering.capitalize())
        self.count += 1
        row = {
            "number": self.count,
            "reference": f"SR-{self.count:06d}",
            "offering_version_id": self.versions[offering],
            "requester_id": self.cast.requester,
            "beneficiary_id": self.cast.requester,
            "editor_id": self.cast.requester,
            "unit_id": unit,
            "title": "A word",
            "answers": {},
            "state": state,
            "revision": 1,
            "seal": f"seal {self.count}",
            "submitted_at": self.at(hours=2),
        }
        return self.add(Request, **{**row, **values})

    def stage(self, request: int, state: StageState = StageState.OPEN, **values: Any) -> int:
        """A stage of the request."""
        row = {
            "request_id": request,
            "revision": 1,
            "position": 1,
            "slug": "line-manager",
            "name": "Line manager",
            "target_minutes": 480,
            "state": state,
            "opened_at": self.at(hours=1),
            "due_at": self.at(hours=-8),
        }
        return self.add(Stage, **{**row, **values})

    def asks(self, stage: int, person: int) -> None:
        """Somebody may decide there."""
        with self.db.transaction() as session:
            session.add(
                StageApprover(stage_id=stage, person_id=person, relation="line manager", rule="line-manager")
            )

    def decided(
        self, person: int, *, seconds: float | None = 60, offering: str = "role", unit: int = 1
    ) -> None:
        """One decision, so many seconds after its card was opened; None: it never was."""
        request = self.request(State.FULFILLED, offering=offering, unit=unit)
        stage = self.stage(request, StageState.APPROVED, closed_at=self.clock())
        at = self.clock()
        self.add(
            Decision, request_id=request, revision=1, stage_id=stage, person_id=person, verdict=Verdict.APPROVE,
            seal="seal", decided_at=at, auth_time=at,
        )  # fmt: skip
        if seconds is not None:
            self.add(
                CardOpening,
                person_id=person,
                request_id=request,
                seal="seal",
                opened_at=at - timedelta(seconds=seconds),
            )

    def review(self, state: ReviewState = ReviewState.OPEN, **values: Any) -> None:
        """A review of an emergency."""
        row = {
            "request_id": self.request(State.FULFILLED),
            "revision": 1,
            "cause": Cause.EMERGENCY,
            "state": state,
            "opened_at": self.at(hours=30),
            "due_at": self.at(hours=6),
        }
        self.add(Review, **{**row, **values})

    def reading(self, connector: str, live: int, explained: int, *, was_read: bool = True) -> None:
        """A target that was looked at."""
        self.add(
            Reading, connector=connector, started_at=self.clock(), finished_at=self.clock(), was_read=was_read,
            why="" if was_read else "It does not answer.", live=live, explained=explained,
        )  # fmt: skip

    def person(self, name: str, unit: int = 1) -> int:
        """Somebody more."""
        return self.add(
            Person, issuer="https://sso.test", subject=name, user_name=name, name=name, email=f"{name}@x.example",
            unit_id=unit,
        )  # fmt: skip

    def unit(self, slug: str) -> int:
        """One of the cast's units."""
        with self.db.reading() as session:
            return session.scalars(select(Unit.id).where(Unit.slug == slug)).one()

    def asked(
        self, person: int, period: str = "month", *, offering: str = "", unit: str = "", **more: Any
    ) -> Asked:
        """What this person asks for."""
        actor = self.actor_of(person)
        if more.get("lead"):
            actor = Actor(**{**_fields(actor), "roles": actor.roles | {"unit_lead"}})
        with self.db.reading() as session:
            scope = scope_of(session, actor, offering=offering, unit=unit)
        return Asked(actor, scope, self.period(period), self.clock())

    def period(self, kind: str) -> Period:
        """A named period, as of now in UTC."""
        return period_of({"period": kind}, self.clock(), ZoneInfo("UTC"))

    def sheet(self, make: Callable[..., Sheet], asked: Asked) -> Sheet:
        """The page."""
        with self.db.reading() as session:
            return make(session, asked)


def _fields(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in Actor.__dataclass_fields__}


def rows_of(sheet: Sheet, key: str) -> tuple[tuple[str, ...], ...]:
    """The table behind a chart."""
    chart = sheet.find_chart(key)
    assert chart is not None
    return chart.table.rows


def finding_of(sheet: Sheet, key: str) -> str:
    """Its sentence."""
    chart = sheet.find_chart(key)
    assert chart is not None
    return chart.finding


@pytest.fixture
def written(db: Database, cast: Cast, clock: StandingClock, actor_of: Callable[..., Actor]) -> Written:
    """The cast and nothing more; it is Wednesday 18 November 2026, 09:00 in UTC."""
    assert clock() == datetime(2026, 11, 18, 9, tzinfo=UTC)
    return Written(db, cast, clock, actor_of)
