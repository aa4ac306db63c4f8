"""Entitlements of shipped services on real targets: extended, left late, judged, and what their evidence tells of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.entitlements.extending.ask import check_extension, extend
from catalog.entitlements.model import EntitlementState
from catalog.entitlements.recertifying.answering import answer
from catalog.entitlements.recertifying.model import Answer
from catalog.requests.states import State
from portal.core.errors import Conflict
from portal.jobs import enqueue
from reports.evidence import make
from reports.evidence.make import Workbench, introduced_key
from reports.evidence.verify import Verification
from reports.evidence.verify.proofs import check_ledger
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.story import check_story
from tests.catalog.entitlements.test_recertifying import questions

pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])


def extended(world, actor, entitlement, **given):
    with world.db.reading() as session:
        checked = check_extension(session, actor, entitlement.id, world.portal.connectors, **given)
    with world.db.transaction() as session:
        request_id = extend(session, actor, checked).id
    world.work()
    while world.request(request_id).state is State.PENDING:
        world.agree(request_id)
        world.work()
    return world.request(request_id)


def evidence_of(world, reference):
    """The facts and proofs of its evidence, and what the verifier finds wrong with them, pages aside."""
    bench = Workbench(world.db, world.portal.settings, world.portal.signer)
    evidence, _request = make._gather_now(bench, reference, introduced_key(bench))
    result = Verification("this")
    check_ledger(evidence, result)
    check_seals(evidence, result)
    check_story(evidence, result)
    return evidence, [check.sentence for check in result.checks if check.holds is False]


def test_an_extension_of_a_role_goes_the_services_own_route_and_is_in_both_evidences(world, cast, actor_of):
    actor = actor_of(cast.requester)
    granted = world.done(actor, "application-access")
    (entitlement,) = world.entitlements()
    world.agreed.clear()
    request = extended(world, actor, entitlement, end="2027-06-30", reason="The season goes on until June.")
    assert request.state is State.FULFILLED, request.outcome
    assert world.agreed
    (moved,) = world.entitlements()
    assert moved.ends_at > entitlement.ends_at
    assert moved.ends_at == request.ends_at
    for reference in (granted.reference, request.reference):
        evidence, wrong = evidence_of(world, reference)
        assert wrong == []
        told = [entry.body["tag"] for entry in evidence.ledger.entries]
        assert ("entitlement:extended" in told) is (reference == granted.reference)


def test_hours_count_from_the_grant_and_an_extension_adds_to_them(world, cast, actor_of, clock):
    """Asked for at ten for eleven o'clock and four hours, approved at two: until six, not until three."""
    actor = actor_of(cast.requester)
    request_id = world.ordered(actor, "privileged-access", begins="2026-11-18 11:00")
    clock.pass_time(hours=4)
    world.agree(request_id)
    world.work()
    (entitlement,) = world.entitlements()
    assert entitlement.ends_at == entitlement.granted_at + timedelta(hours=4)
    assert evidence_of(world, world.request(request_id).reference)[1] == []

    clock.pass_time(hours=1)
    request = extended(
        world, actor, entitlement, end="2 hours", reason="The import of the price lists takes longer."
    )
    assert request.state is State.FULFILLED, request.outcome
    (moved,) = world.entitlements()
    assert moved.ends_at == entitlement.ends_at + timedelta(hours=2)
    clock.time = entitlement.ends_at + timedelta(minutes=1)
    world.work()
    assert len(world.roles_of("rosa.requester")) == 1
    clock.time = moved.ends_at + timedelta(seconds=1)
    world.work()
    assert world.roles_of("rosa.requester") == set()


def test_a_certificate_ends_with_the_certificate_and_is_renewed_not_extended(world, cast, actor_of):
    actor = actor_of(cast.requester)
    world.done(actor, "tls-certificate")
    (entitlement,) = world.entitlements()
    (live,) = world.portal.connectors.get("ca").live()
    assert entitlement.ends_at.isoformat() == live.facts["not_after"]
    with pytest.raises(Conflict, match="keeps this end itself"):
        extended(world, actor, entitlement, end="", reason="It is needed for longer than that.")


def test_a_question_and_its_answers_are_in_the_evidence(world, cast, actor_of, clock):
    granted = world.done(actor_of(cast.requester), "application-access", until="2027-11-01")
    (entitlement,) = world.entitlements()
    assert entitlement.review_at is not None
    clock.time = entitlement.review_at
    with world.db.transaction() as session:
        enqueue(session, "recertify", {})
    world.work()
    (question,) = questions(world)
    for person in (cast.requester, cast.owner):
        with world.db.transaction() as session:
            answer(session, actor_of(person), question.id, Answer.KEEP, "It is used every day.")
    evidence, wrong = evidence_of(world, granted.reference)
    assert wrong == []
    told = [str(entry.body["tag"]) for entry in evidence.ledger.entries]
    assert [tag for tag in told if tag.startswith("recertification")] == [
        "recertification:asked",
        "recertification:answered",
        "recertification:answered",
        "recertification:kept",
    ]
    assert {person.id for person in evidence.people} >= {f"person:{cast.requester}", f"person:{cast.owner}"}
    assert world.entitlements()[0].state is EntitlementState.LIVE
