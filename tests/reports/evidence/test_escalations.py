"""Evidence of what did not go straight: a delegation, an escalation, a stage whose time ran out. All of it verifies."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml

from approvals.delegation.give import Wish, give
from approvals.timing.watch import KEEP_TIME, keep_stage_times
from catalog.offerings.publish import publish
from portal.identity.model import Person
from portal.jobs import Workshop, enqueue, run_due
from reports.evidence.document import Evidence
from reports.evidence.make import _gather_now
from reports.evidence.verify.proofs import check_ledger
from reports.evidence.verify.result import Verification
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.story import check_story
from tests.fixtures_requests import OFFERING
from tests.reports.conftest import ROUTE, EvidenceWorld
from tests.reports.verifier.twice import wrong_at_first, wrong_in_the_end


def gathered(world: EvidenceWorld, request_id: int) -> Evidence:
    return _gather_now(world.bench, world.reference(request_id), world.key)[0]


def wrong_in(evidence: Evidence) -> list[str]:
    result = Verification("x")
    for check in (check_ledger, check_seals, check_story):
        check(evidence, result)
    assert len(result.checks) > 8
    found = [check.sentence for check in result.checks if check.holds is False]
    facts = evidence.model_dump(mode="json")
    assert bool(wrong_at_first(facts) + wrong_in_the_end(facts)) == bool(found)
    return found


def offered(world: EvidenceWorld, **stage: Any) -> None:
    route = {"stages": [{**ROUTE["stages"][0], **stage}]}
    with world.db.transaction() as session:
        text = yaml.safe_dump({**OFFERING, "slug": "words-in-time", "route": route})
        publisher = world.actor_of(world.cast.operator)
        world.shelves.version_id = publish(session, publisher, text, "time.yaml").id


def time_passes(world: EvidenceWorld, **parts: float) -> None:
    world.clock.pass_time(**parts)
    with world.db.transaction() as session:
        enqueue(session, KEEP_TIME, {})
    run_due(
        Workshop(world.db, world.shelves.settings, {KEEP_TIME: keep_stage_times, "send_mail": lambda _: None})
    )


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_substitutes_decision_names_both(world: EvidenceWorld) -> None:
    request_id = world.asked()
    cast = world.cast
    with world.db.transaction() as session:
        name = session.get_one(Person, cast.security).user_name
        wish = Wish(name, date(2026, 11, 18), date(2026, 11, 20), every=True, offerings=())
        give(session, world.actor_of(cast.manager), wish, settings=world.shelves.settings)
    world.decide(request_id, cast.security)
    evidence = gathered(world, request_id)
    (decision,) = evidence.decisions
    assert (decision.person, decision.on_behalf_of) == (f"person:{cast.security}", f"person:{cast.manager}")
    assert wrong_in(evidence) == []
    alone = decision.model_copy(update={"on_behalf_of": None})
    assert wrong_in(evidence.model_copy(update={"decisions": (alone,)})) != []


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_whoever_joined_by_an_escalation_stands_beside_the_sealed_chain(world: EvidenceWorld) -> None:
    offered(world, escalation={"after": "1d", "do": "add", "to": {"relation": "manager-of-manager"}})
    request_id = world.asked()
    time_passes(world, days=2)
    world.decide(request_id, world.cast.head)
    evidence = gathered(world, request_id)
    assert len(evidence.stages[0].approvers) == 2
    assert wrong_in(evidence) == []
    entries = [entry for entry in evidence.ledger.entries if entry.body["tag"] != "stage:escalated"]
    untold = evidence.ledger.model_copy(update={"entries": tuple(entries)})
    assert wrong_in(evidence.model_copy(update={"ledger": untold})) != []


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_request_whose_time_ran_out_verifies(world: EvidenceWorld) -> None:
    offered(world, expires="3d")
    request_id = world.asked()
    time_passes(world, days=9)
    evidence = gathered(world, request_id)
    assert evidence.request.state == "rejected"
    assert wrong_in(evidence) == []
