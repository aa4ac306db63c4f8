"""A world in which something of everything happened, and the facts that the sections gather of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision, Verdict
from approvals.emergency.model import Cause, Review, ReviewState
from approvals.standing.model import StandingApproval, StandingSignature, StandingState, StandingUse
from catalog.access_reviews.model import AccessReview, AtEnd, ItemState, ReviewItem
from catalog.access_reviews.model import ReviewState as CampaignState
from catalog.changes.model import Kind, Restriction
from catalog.changes.model import Scope as Whose
from catalog.entitlements.model import Entitlement
from catalog.offerings.model import OfferingVersion
from catalog.offerings.publish import publish
from catalog.reconciliation.model import Acceptance, Finding, FindingKind, FindingState, Reading
from portal.audit import record
from portal.audit.checkpoint import checkpoint
from portal.audit.identity import ROLE_GIVEN
from reports.audits.population import population_of
from reports.audits.scope import Query, Scope
from reports.audits.sections.registry import gather_sections, read_sections
from tests.fixtures_requests import OFFERING
from tests.reports.audits.sections.told import DIGEST
from tests.reports.conftest import EvidenceWorld, world_in

NOVEMBER = Query(date(2026, 11, 1), date(2026, 11, 30), "Europe/Berlin")


@dataclass
class Story:
    """What happened, and the facts of every section by its name."""

    world: EvidenceWorld
    references: dict[str, str]
    scope: Scope
    facts: dict[str, Any]


def scope_in(world: EvidenceWorld) -> Scope:
    """The whole of November under a head that is signed now."""
    head = checkpoint(world.db, world.bench.signer)
    assert head is not None
    with world.db.snapshot() as session:
        population = population_of(session, NOVEMBER, before=0, after=head.size, as_of=head.at)
    return Scope(NOVEMBER, 0, head.size, head.at, population.members)


def facts_of(world: EvidenceWorld, scope: Scope) -> dict[str, Any]:
    """Gathered, and read as whoever gets the file reads it."""
    with world.db.snapshot() as session:
        return read_sections(gather_sections(session, scope))


def lived(world: EvidenceWorld) -> Story:
    """Live through it: requests through the services, what they cannot be made to do as rows."""
    ordinary = world.shelves.version_id
    references = {"by-policy": world.by_policy()}
    world.shelves.version_id = ordinary
    # Over a weekend: from Wednesday morning to Monday morning are three working days of eight hours.
    slow = world.asked()
    world.clock.pass_time(days=5)
    world.decide(slow, world.cast.manager)
    world.shelves.work()
    references["slow"] = world.reference(slow)
    references |= {"done": world.fulfilled(), "failed": world.failed()}
    with world.db.transaction() as session:
        text = yaml.safe_dump({**OFFERING, "slug": "words-by-policy", "summary": "Said in another way."})
        publish(session, world.actor_of(world.cast.operator), text, "policy.yaml")
        session.add_all(_rows(world, slow))
        _give_role(world, session)
    with world.db.transaction() as session:
        session.add_all(_of_rows(world, session, slow))
    world.clock.pass_time(minutes=5)
    scope = scope_in(world)
    return Story(world, references, scope, facts_of(world, scope))


def _give_role(world: EvidenceWorld, session: Session) -> None:
    """As the reading-in of an organisation's file writes it down."""
    record(
        session,
        ROLE_GIVEN,
        subject=f"person:{world.cast.compliance}",
        actor=world.actor_of(world.cast.operator),
        facts={"role": "compliance", "group": "compliance"},
    )


def _rows(world: EvidenceWorld, request_id: int) -> Iterator[Any]:
    """What stands for itself."""
    at, cast = world.clock(), world.cast
    yield Review(
        request_id=request_id,
        revision=1,
        cause=Cause.EMERGENCY,
        state=ReviewState.LAPSED,
        seats=[],
        opened_at=at - timedelta(hours=30),
        due_at=at - timedelta(hours=6),
        closed_at=at - timedelta(hours=6),
        undone_at=None,
    )
    for connector, live, explained in (("shelf", 12, 9), ("shelf", 14, 13), ("rack", 0, 0)):
        yield Reading(
            connector=connector,
            started_at=at,
            finished_at=at,
            was_read=connector == "shelf",
            live=live,
            explained=explained,
        )
    for days, state in ((2, FindingState.OPEN), (45, FindingState.OPEN), (60, FindingState.ACCEPTED)):
        yield Finding(
            connector="shelf",
            key=f"word-{days}",
            open_key=f"shelf:{days}",
            kind=FindingKind.UNEXPLAINED,
            state=state,
            label=f"The word {days}",
            facts={},
            first_seen_at=at - timedelta(days=days),
            last_seen_at=at,
        )
    yield AccessReview(
        name="Words of the shelf",
        reason="Once a quarter",
        scope={},
        at_end=AtEnd.REVOKE,
        more_days=5,
        state=CampaignState.OPEN,
        opened_by_id=cast.compliance,
        opened_at=at - timedelta(days=9),
        due_at=at - timedelta(days=1),
        total=1,
        digest=DIGEST,
    )
    yield Restriction(
        kind=Kind.FREEZE,
        name="Closing of the year",
        scope=Whose.ALL,
        timezone="Europe/Berlin",
        begins_at=at,
        ends_at=at + timedelta(days=2),
        set_by_id=cast.operator,
        set_at=at,
    )
    yield Restriction(
        kind=Kind.FREEZE,
        name="Long ago",
        scope=Whose.ALL,
        timezone="Europe/Berlin",
        begins_at=at - timedelta(days=90),
        ends_at=at - timedelta(days=80),
        set_by_id=cast.operator,
        set_at=at - timedelta(days=91),
    )


def _of_rows(world: EvidenceWorld, session: Session, request_id: int) -> Iterator[Any]:
    """What belongs to a row of the first kind."""
    at, cast = world.clock(), world.cast
    accepted = session.scalars(select(Finding).where(Finding.state == FindingState.ACCEPTED)).one()
    yield Acceptance(
        finding_id=accepted.id,
        reason="Until the new shelf stands",
        until=(at - timedelta(days=3)).date(),
        digest=DIGEST,
        proposed_by_id=cast.compliance,
        proposed_at=at - timedelta(days=20),
        confirmed_by_id=cast.security,
        confirmed_at=at - timedelta(days=19),
    )
    review = session.scalars(select(AccessReview)).one()
    entitlement = session.scalars(select(Entitlement).order_by(Entitlement.id)).first()
    yield ReviewItem(
        review_id=review.id,
        entitlement_id=entitlement.id,
        state=ItemState.OPEN,
        as_opened={},
        due_at=review.due_at,
    )
    version = session.get_one(OfferingVersion, world.shelves.version_id)
    standing = StandingApproval(
        offering_id=version.offering_id,
        offering_version_id=version.id,
        name="Words for the shop",
        reason="Every day",
        scope="true",
        uses=5,
        used=1,
        ends_at=at - timedelta(days=1),
        digest=DIGEST,
        state=StandingState.IN_FORCE,
        proposer_id=cast.operator,
        proposed_at=at - timedelta(days=30),
        in_force_at=at - timedelta(days=29),
    )
    session.add(standing)
    session.flush()
    yield StandingSignature(
        standing_id=standing.id,
        person_id=cast.owner,
        digest=DIGEST,
        rule="group:crm-owners",
        relation="owner",
        signed_at=at - timedelta(days=29),
        auth_time=at - timedelta(days=29),
    )
    yield StandingUse(standing_id=standing.id, request_id=request_id, spent_at=at)
    # A decision that the portal does not let anybody make: whoever asked says yes to it.
    decision = session.scalars(
        select(Decision).where(Decision.request_id == request_id, Decision.verdict == Verdict.APPROVE)
    ).one()
    decision.person_id = cast.requester


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """On SQLite, lived once for all tests that only read it."""
    lived_once = lived(world_in(tmp_path_factory.mktemp("audited")))
    yield lived_once
    lived_once.world.db.dispose()
