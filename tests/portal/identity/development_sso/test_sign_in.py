from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
import requests
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata

from portal.identity.development_sso.config import ACR_MFA, ACR_PASSWORD
from portal.identity.development_sso.visitor import SignInStopped, sign_in_through_sso
from tests.portal.identity.development_sso.conftest import callback


def test_a_person_signs_in_and_the_client_learns_who_they_are(relying, development_sso):
    before = int(time.time())
    back = relying.sign_in("zoe.lindqvist", nonce="nonce-1")

    assert back["state"] == "a state & more"
    assert back["iss"] == development_sso.issuer
    answer = relying.token(back["code"])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    claims = relying.checked(token["id_token"])
    assert claims["iss"] == development_sso.issuer
    assert claims["aud"] == development_sso.client_id
    assert claims["nonce"] == "nonce-1"
    assert claims["sub"] == "p-1002"
    assert claims["name"] == "Zoë Lindqvist"
    assert claims["given_name"] == "Zoë"
    assert claims["family_name"] == "Lindqvist"
    assert claims["email"] == "zoe.lindqvist@meridian.example"
    assert claims["preferred_username"] == "zoe.lindqvist"
    assert claims["zoneinfo"] == "Europe/Berlin"
    assert claims["locale"] == "en-GB"
    assert claims["acr"] == ACR_PASSWORD
    assert claims["amr"] == ["pwd"]
    assert claims["sid"]
    assert before <= claims["auth_time"] <= time.time()
    assert before < claims["exp"] <= time.time() + 300
    CodeIDToken(
        claims,
        {"alg": "RS256"},
        {"iss": {"value": development_sso.issuer}, "nonce": {"value": "nonce-1"}},
        {"nonce": "nonce-1", "client_id": development_sso.client_id, "access_token": token["access_token"]},
    ).validate()

    headers = {"Authorization": f"Bearer {token['access_token']}"}
    info = requests.get(f"{development_sso.issuer}/userinfo", headers=headers, timeout=60).json()
    assert info["sub"] == "p-1002"
    assert info["email"] == "zoe.lindqvist@meridian.example"


def test_a_person_elsewhere_has_their_own_time_zone(relying):
    assert relying.claims(relying.sign_in("beatriz.sousa")["code"])["zoneinfo"] == "Europe/Lisbon"


def test_only_the_scopes_that_were_asked_for_are_told(relying):
    claims = relying.claims(relying.sign_in("jose.almeida", scope="openid")["code"])
    assert claims["sub"] == "p-2001"
    assert not {"name", "email", "locale"} & claims.keys()


def test_the_second_sign_in_asks_for_nothing_and_keeps_the_session(relying):
    first = relying.claims(relying.sign_in("zoe.lindqvist")["code"])
    response = relying.ask(prompt="none")
    assert response.status_code == 303
    second = relying.claims(callback(response)["code"])
    assert second["sid"] == first["sid"]
    assert second["auth_time"] == first["auth_time"]


def test_the_second_factor_is_asked_for_and_told(relying):
    claims = relying.claims(relying.sign_in("zoe.lindqvist", mfa=True, acr_values=ACR_MFA)["code"])
    assert claims["acr"] == ACR_MFA
    assert claims["amr"] == ["pwd", "otp", "mfa"]


def test_stepping_up_asks_for_the_second_factor_alone(relying, development_sso):
    first = relying.claims(relying.sign_in("zoe.lindqvist")["code"])
    page = relying.ask(acr_values=ACR_MFA)
    assert "Confirm that it is you" in page.text
    second = relying.claims(relying.sign_in("zoe.lindqvist", mfa=True, acr_values=ACR_MFA)["code"])
    assert second["acr"] == ACR_MFA
    assert second["sid"] == first["sid"]
    assert second["auth_time"] == first["auth_time"]
    assert callback(relying.ask(acr_values=ACR_MFA, prompt="none"))["code"]


def test_a_code_says_how_strong_the_sign_in_was_when_it_was_made(relying):
    weak = relying.sign_in("zoe.lindqvist")["code"]
    relying.sign_in("zoe.lindqvist", mfa=True, acr_values=ACR_MFA)
    assert relying.claims(weak)["acr"] == ACR_PASSWORD


def test_max_age_asks_for_the_password_again_and_tells_the_new_time(relying, development_sso):
    first = relying.claims(relying.sign_in("zoe.lindqvist")["code"])
    assert callback(relying.ask(max_age=300))["code"]
    development_sso.clock.ahead = 301
    assert "Password" in relying.ask(max_age=300).text
    second = relying.claims(relying.sign_in("zoe.lindqvist", max_age=300)["code"])
    assert second["auth_time"] >= first["auth_time"] + 301
    assert second["sid"] == first["sid"]


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": 0}, {"prompt": "select_account"}])
def test_a_fresh_sign_in_can_be_demanded(relying, parameters):
    relying.sign_in("zoe.lindqvist")
    old_cookie = relying.browser.cookies["devsso"]
    response = relying.ask(**parameters)
    assert response.status_code == 200
    assert relying.claims(relying.sign_in("zoe.lindqvist", **parameters)["code"])["sub"] == "p-1002"
    assert relying.browser.cookies["devsso"] != old_cookie


def test_consent_is_asked_for_and_may_be_refused(relying):
    relying.sign_in("zoe.lindqvist")
    page = relying.ask(prompt="consent")
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    url = page.request.url
    refused = relying.browser.post(
        url, data={"attempt": attempt, "consent": "no"}, allow_redirects=False, timeout=60
    )
    assert callback(refused)["error"] == "access_denied"
    assert callback(refused)["iss"] == relying.sso.issuer

    page = relying.ask(prompt="consent")
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    given = relying.browser.post(
        page.request.url, data={"attempt": attempt, "consent": "yes"}, allow_redirects=False, timeout=60
    )
    assert relying.claims(callback(given)["code"])["sub"] == "p-1002"


def test_somebody_else_signing_in_gets_a_session_of_their_own(relying):
    first = relying.claims(relying.sign_in("zoe.lindqvist")["code"])
    second = relying.claims(relying.sign_in("jose.almeida", prompt="login")["code"])
    assert second["sub"] == "p-2001"
    assert second["sid"] != first["sid"]


def test_a_hint_names_the_person_so_that_only_the_password_is_asked(relying):
    page = relying.ask(login_hint="jose.almeida@meridian.example")
    assert "José Almeida" in page.text
    assert 'type="password"' in page.text


def test_an_id_token_hint_of_somebody_else_does_not_get_their_session(relying):
    other = relying.token(relying.sign_in("jose.almeida")["code"]).json()["id_token"]
    relying.browser.cookies.clear()
    relying.sign_in("zoe.lindqvist")
    back = callback(relying.ask(id_token_hint=other, prompt="none"))
    assert back["error"] == "login_required"
    back = relying.sign_in("zoe.lindqvist", id_token_hint=other)
    assert back["error"] == "login_required"
    assert "code" not in back


def test_whoever_has_left_cannot_sign_in(relying):
    with pytest.raises(SignInStopped, match="account of Pavel Dvořák is closed"):
        relying.sign_in("pavel.dvorak")
    assert "devsso" not in relying.browser.cookies


def test_a_wrong_password_signs_nobody_in_and_five_end_the_attempt(relying):
    with pytest.raises(SignInStopped, match="This is not the password"):
        sign_in_through_sso(relying.browser, relying.url(), "zoe.lindqvist", password="guess")
    page = relying.ask(login_hint="zoe.lindqvist")
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    statuses = [
        relying.browser.post(page.url, data={"attempt": attempt, "password": "guess"}, timeout=60).status_code
        for _ in range(6)
    ]
    assert statuses == [422, 422, 422, 422, 429, 400]
    assert "devsso" not in relying.browser.cookies


def test_a_wrong_second_factor_signs_nobody_in(relying):
    page = relying.ask(login_hint="zoe.lindqvist", acr_values=ACR_MFA)
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    code_page = relying.browser.post(
        page.url, data={"attempt": attempt, "password": "countersign"}, timeout=60
    )
    right = code_page.text.split("data-one-time-code>")[1].split("<")[0]
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    answer = relying.browser.post(page.url, data={"attempt": attempt, "one_time_code": wrong}, timeout=60)
    assert answer.status_code == 422
    assert "These are not the six digits" in answer.text
    assert "devsso" not in relying.browser.cookies


def test_an_attempt_belongs_to_the_browser_and_the_request_that_began_it(relying):
    page = relying.ask()
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    form = {"attempt": attempt, "person": "zoe.lindqvist", "password": "countersign"}
    with requests.Session() as stranger:
        assert stranger.post(page.url, data=form, timeout=60).status_code == 400
        assert "devsso" not in stranger.cookies
    other_request = relying.url(redirect_uri=relying.sso.redirect_uri.replace("/callback", "/other"))
    assert relying.browser.post(other_request, data=form, timeout=60).status_code == 400
    answer = relying.browser.post(page.url, data=form, allow_redirects=False, timeout=60)
    assert relying.claims(callback(answer)["code"])["sub"] == "p-1002"


def test_an_attempt_ends_after_a_quarter_of_an_hour(relying, development_sso):
    page = relying.ask()
    attempt = page.text.split('name="attempt" value="')[1].split('"')[0]
    development_sso.clock.ahead = 15 * 60 + 1
    form = {"attempt": attempt, "person": "zoe.lindqvist", "password": "countersign"}
    answer = relying.browser.post(page.url, data=form, timeout=60)
    assert answer.status_code == 400
    assert "open for too long" in answer.text


def test_the_session_ends_after_eight_hours(relying, development_sso):
    relying.sign_in("zoe.lindqvist")
    development_sso.clock.ahead = 8 * 3600 + 1
    assert callback(relying.ask(prompt="none"))["error"] == "login_required"


def test_the_discovery_document_is_valid_and_every_endpoint_is_there(development_sso):
    document = requests.get(f"{development_sso.issuer}/.well-known/openid-configuration", timeout=60).json()
    OpenIDProviderMetadata(document).validate()
    for name in (
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ):
        assert urlsplit(document[name]).netloc == urlsplit(development_sso.issuer).netloc
        assert requests.get(document[name], timeout=60).status_code != 404
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]


def test_both_ways_for_the_client_to_prove_itself_work(relying, development_sso):
    first = relying.sign_in("zoe.lindqvist")["code"]
    assert relying.token(first).status_code == 200
    second = callback(relying.ask())["code"]
    posted = {"client_id": development_sso.client_id, "client_secret": development_sso.client_secret}
    assert relying.token(second, auth={}, **posted).status_code == 200


def test_cookies_are_kept_from_scripts_and_pages_from_frames_and_caches(relying):
    page = relying.ask()
    assert "HttpOnly" in page.headers["Set-Cookie"]
    assert "SameSite=Lax" in page.headers["Set-Cookie"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_a_foreign_name_for_loopback_is_refused(development_sso):
    answer = requests.get(development_sso.issuer, headers={"Host": "evil.example"}, timeout=60)
    assert answer.status_code == 400
    assert "Nobody is signed in" not in answer.text
    assert "Nobody is signed in" in requests.get(development_sso.issuer, timeout=60).text
