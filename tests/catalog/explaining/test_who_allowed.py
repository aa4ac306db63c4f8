# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""Who allowed this, asked by every name on real targets: on the page, by the command line's words and by the API."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalog.explaining.answering import explain
from catalog.fulfilment.model import Artefact, Step
from catalog.reconciliation.reading import read_target
from catalog.requests.states import State
from portal.app import create_app
from portal.identity.tokens.create import create_token, revoke_token
from portal.identity.tokens.model import ApiToken
from tests.catalog.reconciliation.test_working_findings import given_behind_our_back
from tests.catalog.requests.conftest import Web

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def asked(world):
    """The references that a question leads to, and what is said."""

    def ask(actor, text, at=None):
        with world.db.reading() as session:
            found = explain(session, actor, text, at=at)
        return found.verdict, [one.reference for one in found.allowed], found

    return ask


@pytest.fixture
def web(world):
    return Web(world.portal, create_app(portal=world.portal))


def done(world, actor, slug, **answers):
    request = world.done(actor, slug, **answers)
    assert request.state is State.FULFILLED, request.outcome
    return request


def test_a_rule_a_certificate_and_a_role_are_found_by_all_their_names(world, cast, actor_of, asked):
    asking, auditor = actor_of(cast.requester), actor_of(cast.auditor)
    rule = done(world, asking, "firewall-rule")
    certificate = done(world, asking, "tls-certificate")
    role = done(world, asking, "application-access")
    with world.db.reading() as session:
        read = {
            step.request_id: step.read_back["facts"]
            for step in session.scalars(select(Step).order_by(Step.id))
        }
        pem = session.scalars(select(Artefact.content).where(Artefact.name == "certificate.pem")).one()
    facts = read[certificate.id]
    by_rule = ["10.1.4.17", "10.1.4.16/28", "10.1.0.0/16", "10.10.1.10:5432", "tcp/5432", "5000-6000"]
    for text in [*by_rule, read[rule.id]["commit"], read[rule.id]["commit"][:9], rule.reference.lower()]:
        verdict, references, found = asked(auditor, text)
        assert (verdict, references) == ("allowed", [rule.reference]), text
    approvals = found.allowed[0].approvals
    assert [approval.how for approval in approvals] == ["approval:approved"] * 2
    assert all(approval.by for approval in approvals)
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    shown = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()
    serial = facts["serial"]
    for text in [
        facts["names"][0],
        serial,
        serial.upper(),
        shown,
        facts["spki_sha256"],
    ]:
        assert asked(auditor, text)[:2] == ("allowed", [certificate.reference]), text
    for text in ["CRM – Sales user", "crm – sales user"]:
        assert asked(auditor, text)[:2] == ("allowed", [role.reference]), text
    assert set(asked(auditor, "rosa.requester")[1]) >= {role.reference}
    for text in ["10.1.4.32", "10.10.1.10:5433", "5431", "nobody.here", "ffffffff"]:
        assert asked(auditor, text)[:2] == ("unknown", []), text


def test_others_see_only_what_is_theirs(world, cast, actor_of, asked):
    role = done(world, actor_of(cast.requester), "application-access")
    assert asked(actor_of(cast.requester), "CRM – Sales user")[1] == [role.reference]
    assert asked(actor_of(cast.outsider), "CRM – Sales user")[:2] == ("unknown", [])
    assert asked(actor_of(cast.outsider), role.reference)[:2] == ("unknown", [])


def test_what_was_allowed_and_what_nobody_allowed_are_told_apart_also_on_a_past_day(
    world, cast, actor_of, asked, clock
):
    asking, auditor = actor_of(cast.requester), actor_of(cast.auditor)
    before = clock.time - timedelta(days=1)
    role = done(world, asking, "application-access")
    between = clock.time + timedelta(minutes=1)
    clock.pass_time(days=1)
    done(world, asking, "access-revocation")
    assert asked(auditor, "CRM – Sales user")[0] == "was-allowed"
    assert asked(auditor, "CRM – Sales user", at=between)[:2] == ("allowed", [role.reference])
    assert asked(auditor, "CRM – Sales user", at=before)[0] == "unknown"
    given_behind_our_back(world, "beatriz.sousa", "CRM – Reporting")
    read_target(world.db, world.portal.connectors, "scim")
    verdict, references, found = asked(auditor, "CRM – Reporting")
    assert (verdict, references) == ("nobody", [])
    assert [one.connector for one in found.unexplained] == ["scim"]
    assert asked(asking, "CRM – Reporting")[0] == "unknown"
    assert asked(actor_of(cast.owner), "CRM – Reporting")[0] == "nobody"


def test_the_page_answers_in_few_statements_and_says_what_is_wrong(world, cast, actor_of, web):
    role = done(world, actor_of(cast.requester), "application-access")
    auditor = web.browser(cast.auditor)
    assert "Who allowed this?" in auditor.get("/explain")
    statements = web.counting(lambda: auditor.get("/explain?q=CRM+–+Sales+user"))
    # The session, the frame's two counts, and seven.
    assert len(statements) <= 11, statements
    page = auditor.get("/explain?q=CRM+–+Sales+user")
    for text in (role.reference, "A request allows it", "Milo Manager", "/evidence.pdf"):
        assert text in page
    assert "Nothing is known" in auditor.get("/explain?q=%7B%7B7*7%7D%7D%3Cimg%3E")
    assert "names an address inside a network" in auditor.get("/explain?q=10.1.2.3/24", status=422)
    assert "Write a day" in auditor.get("/explain?q=x&at=yesterday", status=422)


def test_programs_ask_with_a_token_and_never_with_a_cookie(world, cast, actor_of, web, clock):
    role = done(world, actor_of(cast.requester), "application-access")
    auditor = actor_of(cast.auditor)
    with world.db.transaction() as session:
        row, token = create_token(
            session, auditor, name="SIEM", scopes=["explain"], until=(clock.time + timedelta(days=30)).date()
        )
        number = row.id
        assert token not in json.dumps({key: str(value) for key, value in vars(row).items()})
    client = web.app.test_client()

    def ask(path="/api/v1/explain?q=CRM+–+Sales+user", **headers):
        return client.get(path, headers=headers)

    bearer = {"Authorization": f"Bearer {token}"}
    answer = ask(**bearer)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    told = answer.json
    assert (told["verdict"], told["allowed"][0]["reference"]) == ("allowed", role.reference)
    assert told["allowed"][0]["evidence"].endswith(f"/requests/{role.reference}/evidence.pdf")

    signed_in = web.browser(cast.auditor)
    refused = signed_in.client.get("/api/v1/explain?q=x")
    wrong = [refused, ask(), ask(Authorization="Bearer nothing"), ask(Authorization=f"Basic {token}")]
    for answer in wrong:
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == 401
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    for path, status in (("?q=10.1.2.3/24", 422), ("", 422), ("?q=x&z=1", 422), ("?q=x&at=now", 422)):
        answer = ask(f"/api/v1/explain{path}", **bearer)
        assert (answer.status_code, answer.json["status"]) == (status, status), answer.text
    assert ask("/api/v2", **bearer).mimetype == "application/problem+json"
    assert client.post("/api/v1/explain", headers=bearer).status_code in {403, 405}

    answers = [ask(**bearer).status_code for _ in range(60)]
    assert set(answers) == {200, 429}
    assert int(ask(**bearer).headers["Retry-After"]) > 0
    clock.pass_time(minutes=2)
    assert ask(**bearer).status_code == 200
    with world.db.transaction() as session:
        used = session.get_one(ApiToken, number)
        assert used.last_used_at == clock.time
        used.scopes = []
    assert ask(**bearer).status_code == 403
    with world.db.transaction() as session:
        revoke_token(session, auditor, number)
    assert ask(**bearer).status_code == 401


def test_a_token_ends_with_its_day_and_with_its_person(world, cast, actor_of, web, clock):
    from portal.identity.model import Person

    with world.db.transaction() as session:
        _, token = create_token(
            session, actor_of(cast.auditor), name="One", scopes=["explain"], until=clock.time.date()
        )
    client = web.app.test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/explain?q=x", headers=bearer).status_code == 200
    with world.db.transaction() as session:
        session.get_one(Person, cast.auditor).active = False
    assert client.get("/api/v1/explain?q=x", headers=bearer).status_code == 401
    with world.db.transaction() as session:
        session.get_one(Person, cast.auditor).active = True
    clock.pass_time(days=1)
    assert client.get("/api/v1/explain?q=x", headers=bearer).status_code == 401
