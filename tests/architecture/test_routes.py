"""Every route says who may use it, and every change needs a form's token."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.app import MACHINES, SESSIONLESS, create_app
from portal.core.settings import Settings
from portal.identity.permissions import Permission
from tests.fixtures_people import ISSUER

KNOWN = {"public", "signed-in", *(permission.value for permission in Permission)}
#: What anybody may use, each with its reason.
PUBLIC = {
    "web.home": "says what the portal is",
    "web.live": "health",
    "web.ready": "health",
    "sign_in.start": "begins a sign-in",
    "sign_in.callback": "ends a sign-in",
    "sign_in.signed_out": "after sign-out",
    "sign_in.back_channel": "checks the provider's signature",
    "pki.crl": "relying parties read it",
    "pki.ocsp": "relying parties ask it",
    "pki.ocsp_get": "relying parties ask it",
    "pki.issuing": "relying parties read it",
    "pki.root": "relying parties read it",
    "acme.challenge": "an authority reads the answer to its challenge",
    "ssh.ca": "servers read whom to trust",
    "ssh.krl": "servers read what was taken back",
    "changes.subscribed": "calendar programs read it by a secret token",
    "automation.callback": "checks the target's signature",
    "api.explained": "checks its bearer token",
    "api.nothing": "says that there is nothing",
    "languages.choose": "a stranger reads the sign-in and error pages",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The portal, which nobody changes here, without a database to speak of."""
    home = tmp_path_factory.mktemp("home")
    return create_app(
        Settings.from_environment(
            {"COUNTERSIGN_HOME": str(home), "DATABASE_URL": "sqlite://", "OIDC_ISSUER": ISSUER}
        )
    )


def test_every_route_declares_its_access(app: Flask) -> None:
    undeclared = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint != "static" and getattr(view, "access", None) not in KNOWN
    }
    assert undeclared == set()


def test_public_routes_are_those_that_have_a_reason(app: Flask) -> None:
    public = {
        endpoint for endpoint, view in app.view_functions.items() if getattr(view, "access", "") == "public"
    }
    assert public == set(PUBLIC)


def test_every_route_that_changes_something_refuses_a_form_without_a_token(app: Flask) -> None:
    client = app.test_client()
    own = app.extensions["countersign"].get(Settings).public_url
    tried = 0
    for rule in app.url_map.iter_rules():
        changing = (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if not changing or rule.endpoint in MACHINES:
            continue
        address = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)
        assert address is not None
        for method in changing:
            answer = client.open(address[1], method=method, headers={"Origin": own})
            assert answer.status_code == 400, f"{method} {rule.rule} answered {answer.status_code}"
            assert "session has ended" in answer.get_data(as_text=True)
            tried += 1
    assert tried > 5


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_change_that_comes_from_elsewhere_is_refused(app: Flask, headers: dict[str, str]) -> None:
    answer = app.test_client().post("/sign-out", headers=headers)
    assert answer.status_code == 403
    assert "not sent from a page of this portal" in answer.get_data(as_text=True)


def test_endpoints_with_a_special_rule_exist(app: Flask) -> None:
    assert set(app.view_functions) >= SESSIONLESS
    assert set(app.view_functions) >= MACHINES
