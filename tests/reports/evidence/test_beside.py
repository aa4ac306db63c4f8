"""Evidence of what went past its ordinary approvers: an emergency, a broken glass, a standing approval."""

import pytest
import yaml

from approvals.emergency.glass import break_glass, glass_stage, seal_of
from approvals.emergency.model import Finding
from approvals.standing.propose import Playbook, propose
from approvals.standing.signing import sign
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.checkpoint import Signer
from reports.evidence.make import Workbench, make_evidence
from reports.evidence.presenters import page_of
from reports.evidence.verify import Trusted, verify_file
from tests.fixtures_emergency import urgent
from tests.fixtures_requests import OFFERING
from tests.reports.conftest import evidence_in

pytestmark = pytest.mark.on_sqlite


def offered(urgency, content):
    with urgency.db.transaction() as session:
        actor = urgency.actor_of(urgency.cast.compliance)
        urgency.hands.version_id = publish(session, actor, yaml.safe_dump(content), "it.yaml").id


def proven(urgency, request_id):
    """The page of the request's file, after everything in the file was checked."""
    settings = urgency.hands.portal.settings
    bench = Workbench(urgency.db, settings, Signer.from_settings(settings))
    file = make_evidence(bench, urgency.request(request_id).reference).path
    found = verify_file(file, trusted=Trusted.of([bench.signer.verifier]))
    assert found.proven, [check.line for check in found.checks if not check.holds]
    return page_of(evidence_in(file))


def test_an_emergency_that_was_found_wrong_shows_its_committee_its_review_and_its_end(urgency, cast):
    offered(urgency, urgent(slug="urgent-evidence"))
    request_id = urgency.started()
    urgency.say(request_id, cast.manager, Finding.WRONG, "It stops the orders.")
    urgency.hands.work()
    page = proven(urgency, request_id)
    assert [(row.person, row.verdict) for row in page.decisions] == [
        ("Sami Security", "Approved"),
        ("Hanna Head", "Approved"),
    ]
    assert [(row.what, row.who) for row in page.beside] == [
        ("Review opened", "Countersign"),
        ("Found it wrong", "Milo Manager"),
        ("Undone: nothing of it is in place", "Countersign"),
    ]
    assert "Milo Manager" in page.beside[0].text
    assert page.beside[1].text == "It stops the orders."
    assert any("before its ordinary approvers had a say" in sentence for sentence in page.deviations)


def test_a_broken_glass_shows_both_people_and_whom_they_passed_over(urgency, cast, actor_of):
    offered(urgency, {**OFFERING, "slug": "glass-words"})
    for person in (cast.auditor, cast.security):
        urgency.join(person, "break-glass", "break_glass")
    request_id = urgency.pending()
    for person in (cast.auditor, cast.security):
        with urgency.db.transaction() as session:
            request = session.get_one(Request, request_id)
            seal = seal_of(request, glass_stage(session, request))
            why = "Everybody who could approve is on one plane."
            settings = urgency.hands.portal.settings
            break_glass(session, actor_of(person), request_id, why, seal=seal, settings=settings)
    urgency.hands.work()
    page = proven(urgency, request_id)
    assert page.claim.sentence.startswith("What Ada Auditor and Sami Security approved on")
    assert [row.what for row in page.beside] == [
        "Wanted to break the glass",
        "The glass was broken",
        "Review opened",
    ]
    assert page.beside[1].who == "Ada Auditor and Sami Security"


def test_a_use_of_a_standing_approval_names_it_with_its_signers(urgency, cast, actor_of):
    offered(urgency, {**OFFERING, "slug": "playbook-words"})
    settings = urgency.hands.portal.settings
    playbook = Playbook(
        "playbook-words", "Words at night", "The feed names them at night.", "true", "5", "2026-12-01"
    )
    with urgency.db.transaction() as session:
        standing = propose(session, actor_of(cast.operator), playbook)
    for person in (cast.owner, cast.second_owner):
        with urgency.db.transaction() as session:
            sign(session, actor_of(person), standing.id, digest=standing.digest, settings=settings)
    request_id = urgency.pending()
    assert urgency.request(request_id).state is State.FULFILLED
    page = proven(urgency, request_id)
    assert page.claim.sentence.startswith(
        "What Olga Owner and Otto Owner approved in advance was carried out"
    )
    assert page.stages[0].needed == "signed in advance"
    (row,) = page.beside
    assert (row.what, row.who) == ("Approved in advance", "Olga Owner and Otto Owner")
    assert row.text.startswith(
        f"Standing approval {standing.id} “Words at night”, use 1 of 5, digest sha256:"
    )
