"""The shipped offerings on the real authority and the real policy, through the real approvals, to their end."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from approvals.routing.router import Router
from catalog.attachments.s3 import store_for
from catalog.entitlements.ending import give_back
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.artefacts import get_artefact
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.connector import CaConnector
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.defaults import example_answers
from catalog.offerings.publish import publish
from catalog.offerings.queries import document_of, get_current_version
from catalog.requests.checking import check_draft, form_context_of
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.model import Request
from catalog.requests.review import needless_answers, review_page
from catalog.requests.states import State
from catalog.requests.submit import submit
from portal.audit.checkpoint import Signer
from portal.core.assets import services_folder
from portal.jobs import Workshop, run_due
from portal.wiring import Portal, job_handlers, reactions_table
from tests.catalog.requests.test_show import approve
from tests.fixtures_requests import KEY


@pytest.fixture
def portal(db, settings, cast, actor_of, clock) -> Portal:
    handlers = reactions_table(settings)
    db.handlers = handlers
    db.info["handlers"] = handlers
    authority = CertificateAuthority(settings.ca_folder, f"{settings.public_url}/pki", now=clock)
    authority.create_if_missing()
    create_repository(settings.firewall_repository, zones=ZONES, baseline=BASELINE)
    portal = Portal(
        settings=settings,
        db=db,
        connectors=Connectors(
            [CaConnector(authority), FirewallConnector(settings.firewall_repository, clock=clock)]
        ),
        router=Router(),
        authority=authority,
        signer=Signer.from_settings(settings),
        store=store_for(settings),
    )
    for slug in ("tls-certificate", "firewall-rule"):
        with db.transaction() as session:
            file = services_folder() / f"{slug}.yaml"
            publish(session, actor_of(cast.operator), file.read_text(encoding="utf-8"), file.name)
    return portal


def draft(portal, actor, slug, **answers) -> str:
    """The offering's own worked example as a draft."""
    with portal.db.transaction() as session:
        version = get_current_version(session, slug)
        _, context = form_context_of(session, actor, portal.connectors)
        typed = {**example_answers(document_of(version).example, context), **answers}
        token = new_token(actor.person_id, KEY)
        keep(session, token, version, typed, key=KEY)
    return token


def look(portal, actor, slug, token) -> tuple[Any, str, Any]:
    """The checked answers, why asking is needless, and the review."""
    with portal.db.reading() as session:
        version = get_current_version(session, slug)
        checked = check_draft(session, actor, get_draft(session, actor, token), version, portal.connectors)
        needless = needless_answers(session, actor, checked, version, connectors=portal.connectors)
        page = review_page(
            session, actor, checked, version, connectors=portal.connectors, router=portal.router
        )
    return checked, needless, page


def work(portal) -> None:
    handlers = {**job_handlers(portal), "send_mail": lambda job: None}
    run_due(Workshop(portal.db, portal.settings, handlers))


def ordered(portal, actor, slug, **answers) -> int:
    token = draft(portal, actor, slug, **answers)
    checked, needless, _ = look(portal, actor, slug, token)
    assert needless == ""
    with portal.db.transaction() as session:
        request_id = submit(session, actor, checked).id
    work(portal)
    return request_id


def state_of(portal, request_id) -> Request:
    with portal.db.reading() as session:
        return session.get_one(Request, request_id)


def test_a_certificate_is_issued_downloaded_and_revoked_when_given_back(portal, cast, actor_of, tmp_path):
    actor = actor_of(cast.requester)
    owner = "Rosa Requester"
    request_id = ordered(portal, actor, "tls-certificate", owner=owner)
    assert state_of(portal, request_id).state is State.PENDING, state_of(portal, request_id).outcome
    approve(portal, actor_of(cast.manager), request_id)
    work(portal)

    request = state_of(portal, request_id)
    assert request.state is State.FULFILLED, request.outcome
    with portal.db.reading() as session:
        for name in ("certificate.pem", "chain.pem"):
            (tmp_path / name).write_bytes(get_artefact(session, request_id, name).content)
        entitlement = session.scalars(select(Entitlement)).one()
    (tmp_path / "root.pem").write_bytes(pem(portal.authority.root))
    verified = subprocess.run(
        [
            "openssl",
            "verify",
            "-attime",
            str(int(portal.db.clock().timestamp()) + 60),
            "-CAfile",
            "root.pem",
            "-untrusted",
            "chain.pem",
            "certificate.pem",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout.strip() == "certificate.pem: OK", verified.stderr
    with portal.db.transaction() as session:
        give_back(session, actor, entitlement.id)
    work(portal)
    assert state_of(portal, request_id).state is State.ENDED
    serial = request_serial(portal)
    assert portal.authority.records.find_revocation(serial) is not None


@pytest.mark.on_sqlite
def test_a_rule_is_committed_seen_as_allowed_and_taken_out_at_its_end(portal, cast, actor_of, clock):
    actor = actor_of(cast.requester)
    request_id = ordered(portal, actor, "firewall-rule")
    request = state_of(portal, request_id)
    assert request.state is State.PENDING, request.outcome
    assert [stage["slug"] for stage in request.route] == ["line-manager", "network-security"]
    approve(portal, actor_of(cast.manager), request_id)
    work(portal)
    assert state_of(portal, request_id).state is State.PENDING
    assert commits(portal) == []
    approve(portal, actor_of(cast.owner), request_id)
    work(portal)

    assert state_of(portal, request_id).state is State.FULFILLED
    assert len(commits(portal)) == 1
    token = draft(portal, actor, "firewall-rule")
    _, needless, page = look(portal, actor, "firewall-rule", token)
    assert "SR-000001" in needless
    assert page.stop == needless
    clock.pass_time(days=61)
    work(portal)
    assert state_of(portal, request_id).state is State.ENDED
    assert len(commits(portal)) == 2
    assert [
        live.reference for live in portal.connectors.get("firewall").live() if live.reference != "baseline"
    ] == []


def test_two_requests_for_the_same_traffic_at_once_are_sealed_and_carried_out_apart(portal, cast, actor_of):
    actor = actor_of(cast.requester)
    first = ordered(portal, actor, "firewall-rule")
    second = ordered(portal, actor, "firewall-rule")
    for request_id in (first, second):
        approve(portal, actor_of(cast.manager), request_id)
        approve(portal, actor_of(cast.owner), request_id)
    work(portal)
    assert {state_of(portal, request_id).state for request_id in (first, second)} == {State.FULFILLED}
    assert len(commits(portal)) == 2


def test_a_policy_that_changed_between_seal_and_fulfilment_stops_it(portal, cast, actor_of):
    actor = actor_of(cast.requester)
    request_id = ordered(portal, actor, "firewall-rule")
    approve(portal, actor_of(cast.manager), request_id)
    approve(portal, actor_of(cast.owner), request_id)
    real = portal.connectors.get("firewall")

    class Moved:
        """The policy as it would be planned after somebody changed a zone."""

        kind = real.kind

        def __getattr__(self, name):
            return getattr(real, name)

        def plan(self, order):
            plan = real.plan(order)
            return replace(plan, document={**plan.document, "rule": {**plan.document["rule"], "ports": "1"}})

    moved = replace(portal, connectors=Connectors([Moved()]))
    handlers = {**job_handlers(moved), "send_mail": lambda job: None}
    handlers["prepare"] = partial(handlers["prepare"], connectors=portal.connectors)
    run_due(Workshop(portal.db, portal.settings, handlers))
    request = state_of(portal, request_id)
    assert (request.state, request.revision) == (State.PENDING, 2)
    assert commits(portal) == []


def commits(portal) -> list[str]:
    out = subprocess.run(
        ["git", "log", "--format=%s%n%b", "--grep", "SR-0000"],
        cwd=portal.settings.firewall_repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line for line in out.splitlines() if line.startswith("SR-0000")]


def pem(certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def request_serial(portal) -> str:
    (record,) = portal.authority.records.every()
    return record.serial
