from __future__ import annotations

import secrets
import threading
from urllib.parse import urlsplit

import pytest
import requests

from portal.identity.development_sso.config import ACR_MFA
from tests.portal.identity.development_sso.conftest import DROP, basic, callback


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": DROP}, "invalid_request"),
        ({"code_challenge": DROP, "code_challenge_method": DROP}, "invalid_request"),
        ({"code_challenge_method": DROP}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": DROP}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "later"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 30}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"id_token_hint": "nonsense"}, "invalid_request"),
    ],
)
def test_a_bad_request_is_told_to_the_client_with_state_and_issuer(relying, changes, error):
    response = relying.ask(**changes)
    assert response.status_code == 303
    back = callback(response)
    assert back["error"] == error
    assert back["state"] == "a state & more"
    assert back["iss"] == relying.sso.issuer
    assert "code" not in back
    assert response.headers["Location"].startswith(relying.sso.redirect_uri + "?")


def test_a_second_factor_cannot_be_had_in_silence(relying):
    relying.sign_in("zoe.lindqvist")
    assert callback(relying.ask(prompt="none", acr_values=ACR_MFA))["error"] == "interaction_required"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": DROP},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": "somebody"},
        {"client_id": DROP},
    ],
)
def test_nothing_is_ever_sent_to_an_address_that_is_not_the_client_s(relying, changes):
    response = relying.ask(**changes)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "That did not work" in response.text


@pytest.mark.parametrize("change", ["/", "?x=1", "#x", "/../x", "%2f", "@evil.example", "/."])
def test_the_redirect_address_is_compared_whole(relying, change):
    assert relying.ask(redirect_uri=relying.sso.redirect_uri + change).status_code == 400


def test_a_parameter_given_twice_is_refused(relying):
    response = relying.browser.get(relying.url() + "&state=other", allow_redirects=False, timeout=60)
    assert response.status_code == 400


def test_what_the_client_sent_is_never_markup_on_our_page(relying):
    page = relying.ask(client_id="<img src=x onerror=alert(1)>{{987*654}}")
    assert "<img src=x" not in page.text
    assert "645498" not in page.text


def test_a_nonce_that_was_used_is_refused(relying):
    relying.sign_in("zoe.lindqvist", nonce="again")
    assert callback(relying.ask(nonce="again"))["error"] == "invalid_request"


def test_a_code_works_once_and_its_second_use_ends_what_it_gave(relying):
    code = relying.sign_in("zoe.lindqvist")["code"]
    first = relying.token(code)
    assert first.status_code == 200
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert requests.get(f"{relying.sso.issuer}/userinfo", headers=bearer, timeout=60).status_code == 200
    second = relying.token(code)
    assert second.status_code == 400
    assert second.json()["error"] == "invalid_grant"
    assert requests.get(f"{relying.sso.issuer}/userinfo", headers=bearer, timeout=60).status_code == 401


def test_of_many_who_show_a_code_at_once_one_gets_tokens(relying):
    code = relying.sign_in("zoe.lindqvist")["code"]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(relying.token(code).status_code)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 11


def test_a_code_lives_for_a_minute(relying, development_sso):
    code = relying.sign_in("zoe.lindqvist")["code"]
    development_sso.clock.ahead = 61
    assert relying.token(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": DROP}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": secrets.token_urlsafe(48)}, "invalid_grant"),
        ({"redirect_uri": DROP}, "invalid_grant"),
        ({"redirect_uri": "http://localhost/elsewhere"}, "invalid_grant"),
        ({"code": "guess"}, "invalid_grant"),
        ({"code": DROP}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": DROP}, "unsupported_grant_type"),
    ],
)
def test_a_code_is_bound_to_verifier_and_address(relying, changes, error):
    code = relying.sign_in("zoe.lindqvist")["code"]
    answer = relying.token(code, **changes)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert "id_token" not in answer.json()


def test_a_code_needs_the_client_s_secret(relying, development_sso):
    code = relying.sign_in("zoe.lindqvist")["code"]
    for auth in (
        basic(development_sso.client_id, "guess"),
        basic(development_sso.client_id, ""),
        basic("other", development_sso.client_secret),
        basic(development_sso.client_id, "ü"),
        {"Authorization": "Bearer x"},
    ):
        answer = relying.token(code, auth=auth)
        assert answer.status_code == 401, auth
        assert answer.json()["error"] == "invalid_client"
    nobody = relying.token(code, auth={"X-Nothing": "x"}, client_id=development_sso.client_id)
    assert nobody.status_code == 401
    assert relying.token(code).status_code == 200


@pytest.mark.parametrize(
    "header", [b"Basic", b"Basic ", b"Basic \xff\xfe", b"Basic /////w==", b"Basic " + b"A" * 5000]
)
def test_credentials_that_cannot_be_read_are_refused_not_an_accident(development_sso, header):
    answer = requests.post(
        f"{development_sso.issuer}/token",
        data={"grant_type": "authorization_code", "code": "x"},
        headers={"Authorization": header},
        timeout=60,
    )
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] in {"invalid_client", "invalid_request"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic eDp5"}])
def test_userinfo_needs_a_token(development_sso, headers):
    answer = requests.get(f"{development_sso.issuer}/userinfo", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert "sub" not in answer.text


def test_an_access_token_ends_after_five_minutes(relying, development_sso):
    token = relying.token(relying.sign_in("zoe.lindqvist")["code"]).json()
    assert token["expires_in"] == 300
    development_sso.clock.ahead = 301
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert requests.get(f"{development_sso.issuer}/userinfo", headers=bearer, timeout=60).status_code == 401


def test_more_than_is_taken_is_refused(relying):
    page = relying.ask()
    assert urlsplit(page.url).path == "/authorize"
    answer = relying.browser.post(page.url, data={"attempt": "x" * 70_000}, timeout=60)
    assert answer.status_code == 413
