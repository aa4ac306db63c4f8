# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""Each shipped offering, ordered by its own worked example and taken to its end on real targets."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals.routing.model import Stage
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.offerings.queries import published_versions
from catalog.requests.model import Request
from catalog.requests.states import State
from catalog.requests.submit import submit
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldErrors, NotFound
from portal.core.language import said
from tests.catalog.fulfilment.connectors.requests import make_csr

BEATRIZ = "beatriz.sousa"

#: Offerings that nothing else has to go before, and the stages that their example takes.
BY_THEMSELVES = {
    "application-access": ["line-manager"],
    "privileged-access": ["application-owner"],
    "vendor-access": ["line-manager", "security-office"],
    "tls-certificate": ["line-manager"],
    "firewall-rule": ["line-manager", "network-security"],
    "account-audit": ["application-owner"],
    "endpoint-agent": ["platform-owners"],
    "security-exception": ["line-manager", "security-office", "security-chief"],
    "security-self-assessment": ["unit-head", "security-office"],
    "password-reset": [],
}


def stages_of(world, request):
    with world.db.reading() as session:
        query = select(Stage.slug).where(Stage.request_id == request.id, Stage.revision == request.revision)
        return list(session.scalars(query.order_by(Stage.position, Stage.part)))


@pytest.mark.on_sqlite
def test_every_offering_is_ordered_here(world):
    with world.db.reading() as session:
        slugs = {version.offering.slug for version in published_versions(session)}
    others = {
        *("access-revocation", "leaver", "certificate-revocation", "firewall-rule-removal"),
        "certificate-renewal",
        "emergency-change",
    }
    assert slugs == set(BY_THEMSELVES) | others


@pytest.mark.on_sqlite
@pytest.mark.parametrize("slug", BY_THEMSELVES)
def test_an_offering_goes_by_its_example_from_the_form_to_done(world, cast, actor_of, slug):
    request = world.done(actor_of(cast.requester), slug)
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == BY_THEMSELVES[slug]
    assert request.likeness or slug in {"application-access", "tls-certificate", "firewall-rule"}


def test_privileged_access_begins_and_ends_by_the_clock(world, cast, actor_of, clock):
    actor = actor_of(cast.requester)
    request_id = world.ordered(actor, "privileged-access")
    world.agree(request_id)
    world.work()
    request = world.request(request_id)
    assert (request.state, request.baton) == (State.SCHEDULED, "The change window")
    assert world.roles_of("rosa.requester") == set()
    # 19 November, ten o'clock in Berlin
    assert request.baton_due.isoformat() == "2026-11-19T09:00:00+00:00"
    assert request.ends_at - request.baton_due == timedelta(hours=4)

    clock.time = request.baton_due + timedelta(seconds=1)
    world.work()
    assert world.request(request_id).state is State.FULFILLED
    assert world.roles_of("rosa.requester") == {"CRM – Administrator"}
    clock.pass_time(hours=4)
    world.work()
    assert world.request(request_id).state is State.ENDED
    assert world.roles_of("rosa.requester") == set()


@pytest.mark.on_sqlite
def test_giving_up_ones_own_role_is_approved_by_the_published_policy_with_version_and_publisher(
    world, cast, actor_of
):
    actor = actor_of(cast.requester)
    given = world.done(actor, "application-access")
    assert world.roles_of("rosa.requester") == {"CRM – Sales user"}
    request = world.done(actor, "access-revocation")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == []
    assert world.roles_of("rosa.requester") == set()
    assert world.request(given.id).state is State.ENDED
    (entitlement,) = world.entitlements()
    assert entitlement.state is EntitlementState.ENDED
    assert entitlement.end_reason == f"It was taken away by {request.reference}."
    with world.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "request:approved-by-policy")).one()
        facts = json.loads(entry.body)["facts"]
    assert facts["publisher"] == f"person:{cast.operator}"
    assert facts["version"] == 1


@pytest.mark.on_sqlite
def test_a_role_is_taken_from_somebody_else_with_the_owners_word(world, cast, actor_of):
    actor = actor_of(cast.requester)
    world.done(actor, "application-access", person="Beatriz Sousa")
    request = world.done(actor, "access-revocation", person="Beatriz Sousa")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == ["application-owner"]
    assert world.roles_of(BEATRIZ) == set()


@pytest.mark.on_sqlite
def test_a_leaver_loses_everything_at_the_moment_that_was_chosen(world, cast, actor_of):
    actor = actor_of(cast.requester)
    world.done(actor, "application-access", person="Beatriz Sousa")
    world.done(actor, "application-access", person="Beatriz Sousa", role="Data warehouse – Analyst")
    mine = world.done(actor, "application-access")
    request_id = world.ordered(actor, "leaver")
    plan = world.request(request_id).plans[0]
    assert [line["change"] for line in plan["lines"]] == ["remove", "remove"]
    assert all("Beatriz Sousa" in said(line["text"]) for line in plan["lines"])
    # What comes between is part of “all”, and changes nothing that was agreed.
    later = world.done(actor, "application-access", person="Beatriz Sousa", role="CRM – Reporting")
    assert later.state is State.FULFILLED
    world.agree(request_id)
    world.work()
    assert world.request(request_id).state is State.SCHEDULED
    assert len(world.roles_of(BEATRIZ)) == 3

    world.clock.time = world.request(request_id).baton_due + timedelta(seconds=1)
    world.work()
    assert world.roles_of(BEATRIZ) == set()
    request = world.request(request_id)
    assert (request.state, request.baton) == (State.FULFILLING, "Service desk")
    world.act_by_hand()
    world.work()
    request = world.request(request_id)
    assert request.state is State.FULFILLED, request.outcome
    ended = [e for e in world.entitlements() if e.end_reason == f"It was ended by {request.reference}."]
    assert len(ended) == 3
    assert world.request(mine.id).state is State.FULFILLED
    assert world.roles_of("rosa.requester") == {"CRM – Sales user"}


@pytest.mark.on_sqlite
def test_a_leaver_waits_for_what_people_have_to_undo(world, cast, actor_of):
    sponsor = actor_of(cast.requester)
    assert world.done(sponsor, "vendor-access").state is State.FULFILLED
    manager = actor_of(cast.manager)
    request_id = world.ordered(manager, "leaver", person="Rosa Requester", successor="Beatriz Sousa")
    while world.request(request_id).state is State.PENDING:
        world.agree(request_id)
        world.work()
    world.clock.time = world.request(request_id).baton_due + timedelta(seconds=1)
    world.work()
    (entitlement,) = world.entitlements()
    assert entitlement.state is EntitlementState.ENDING
    assert world.request(request_id).state is State.FULFILLING
    for _ in range(4):
        world.act_by_hand()
        world.work()
    (entitlement,) = world.entitlements()
    assert entitlement.state is EntitlementState.ENDED
    assert world.request(request_id).state is State.FULFILLED, world.request(request_id).outcome


@pytest.mark.on_sqlite
def test_a_certificate_is_revoked_and_its_request_ends(world, cast, actor_of):
    actor = actor_of(cast.requester)
    issued = world.done(actor, "tls-certificate")
    (record,) = world.portal.authority.records.every()
    request = world.done(
        actor, "certificate-revocation", serial=record.serial, why="keyCompromise", replaced=False
    )
    assert request.state is State.FULFILLED, request.outcome
    assert world.portal.authority.records.find_revocation(record.serial).reason == "keyCompromise"
    assert world.request(issued.id).state is State.ENDED
    assert request.risk["level"] == "medium"


def test_a_renewed_certificate_and_its_record_end_after_both_were_valid_for_a_while(
    world, cast, actor_of, clock
):
    actor = actor_of(cast.requester)
    first = world.done(actor, "tls-certificate")
    authority = world.portal.authority
    (present,) = authority.records.every()
    request = world.done(
        actor, "certificate-renewal", serial=present.serial, csr=make_csr(*present.names), overlap_days=10
    )
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == ["certificate-services"]
    (renewed,) = [record for record in authority.valid() if record.serial != present.serial]
    assert (renewed.names, renewed.reference) == (present.names, request.reference)
    old, new = world.entitlements()
    assert {record.serial for record in authority.valid()} == {present.serial, renewed.serial}
    assert (old.state, new.state) == (EntitlementState.LIVE, EntitlementState.LIVE)
    assert timedelta(days=9) < old.ends_at - clock.time <= timedelta(days=10)
    with world.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "entitlement:replaced")).one()
        assert json.loads(entry.body)["facts"]["by"] == request.reference

    clock.pass_time(days=10, seconds=5)
    # The authority needs no portal to end it; the portal's record follows.
    assert authority.valid() == [renewed]
    world.work()
    old, new = world.entitlements()
    assert (old.state, new.state) == (EntitlementState.ENDED, EntitlementState.LIVE)
    assert world.request(first.id).state is State.ENDED
    assert world.request(request.id).state is State.FULFILLED
    assert authority.revocation_of(present.serial).reason == "superseded"


def test_a_rule_is_removed_in_the_next_change_window(world, cast, actor_of):
    actor = actor_of(cast.requester)
    opened = world.done(actor, "firewall-rule")
    request_id = world.ordered(actor, "firewall-rule-removal", rule=opened.reference)
    world.agree(request_id)
    world.work()
    request = world.request(request_id)
    # Asked on a Wednesday: the window of Thursday evening in Berlin is the next one.
    assert request.baton_due.isoformat() == "2026-11-19T19:00:00+00:00"
    world.clock.time = request.baton_due + timedelta(hours=4)
    world.work()
    # The worker came too late for that window, so the next one counts.
    request = world.request(request_id)
    assert request.state is State.SCHEDULED
    assert request.baton_due.isoformat() == "2026-11-24T19:00:00+00:00"
    world.clock.time = request.baton_due + timedelta(minutes=1)
    world.work()
    assert world.request(request_id).state is State.FULFILLED, world.request(request_id).outcome
    assert world.request(opened.id).state is State.ENDED
    live = [live.reference for live in world.portal.connectors.get("firewall").live()]
    assert opened.reference not in live


@pytest.mark.on_sqlite
def test_a_misused_rule_waits_for_no_window(world, cast, actor_of):
    actor = actor_of(cast.requester)
    opened = world.done(actor, "firewall-rule")
    before = world.clock()
    request = world.done(actor, "firewall-rule-removal", rule=opened.reference, attack=True, rollback="")
    assert request.state is State.FULFILLED, request.outcome
    assert world.clock() == before


def test_an_emergency_change_is_for_its_audience_and_takes_two_of_the_committee(world, cast, actor_of):
    outsider = actor_of(cast.requester)
    checked = world.checked(outsider, "emergency-change")
    with pytest.raises(NotFound), world.db.transaction() as session:
        submit(session, outsider, checked)
    request = world.done(actor_of(cast.security), "emergency-change")
    assert request.state is State.FULFILLED, request.outcome
    assert world.agreed == ["emergency-committee", "emergency-committee"]
    world.clock.time = request.ends_at + timedelta(seconds=1)
    world.work()
    world.act_by_hand()
    world.work()
    assert world.request(request.id).state is State.ENDED


@pytest.mark.on_sqlite
def test_a_few_test_servers_need_nobodys_word_and_no_window(world, cast, actor_of):
    hosts = [{"host": "try1.meridian.example", "system": "linux", "use": "test"}]
    before = world.clock()
    request = world.done(actor_of(cast.requester), "endpoint-agent", hosts=hosts, rollback="")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == []
    assert world.clock() == before


def test_what_must_not_come_together_is_refused_with_a_sentence(world, cast, actor_of):
    actor = actor_of(cast.requester)
    assert world.done(actor, "application-access", role="ERP – Finance approver").state is State.FULFILLED
    with pytest.raises(FieldErrors, match="Whoever releases payments"):
        world.checked(actor, "privileged-access", role="ERP – Administrator")


@pytest.mark.on_sqlite
def test_what_is_held_already_raises_the_risk_and_tells_the_approver(world, cast, actor_of):
    actor = actor_of(cast.requester)
    assert world.done(actor, "application-access", role="ERP – Administrator").state is State.FULFILLED
    request = world.request(world.ordered(actor, "privileged-access"))
    assert "The person administers another system already" in [r["because"] for r in request.risk["reasons"]]
    assert request.risk["score"] == 40


@pytest.mark.on_sqlite
def test_the_same_asked_again_is_refused_until_it_is_confirmed(world, cast, actor_of):
    actor = actor_of(cast.requester)
    first = world.request(world.ordered(actor, "account-audit"))
    checked = world.checked(actor, "account-audit")
    with (
        pytest.raises(Conflict, match=f"{first.reference} asks for the same"),
        world.db.transaction() as session,
    ):
        submit(session, actor, checked)
    with world.db.transaction() as session:
        assert submit(session, actor, checked, confirmed=first.reference).reference != first.reference
    other = world.checked(actor, "account-audit", application="erp")
    with world.db.transaction() as session:
        assert submit(session, actor, other).reference


def test_the_portal_itself_denies_what_the_offering_says(world, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = world.ordered(actor, "security-exception", likelihood="likely", impact="severe")
    request = world.request(request_id)
    assert request.state is State.REFUSED
    assert request.outcome.startswith("Harm that is to be expected and severe")


@pytest.mark.on_sqlite
def test_a_rollback_plan_is_required_where_the_offering_says(world, cast, actor_of):
    with pytest.raises(FieldErrors, match="A rollback plan is required"):
        world.checked(actor_of(cast.requester), "endpoint-agent", rollback="")


@pytest.mark.on_sqlite
def test_nothing_to_undo_leaves_nothing_live(world, cast, actor_of):
    request = world.done(actor_of(cast.requester), "password-reset")
    assert request.state is State.FULFILLED
    with world.db.reading() as session:
        assert session.scalars(select(Entitlement)).all() == []
        assert session.scalars(select(Request.state)).all() == [State.FULFILLED]
