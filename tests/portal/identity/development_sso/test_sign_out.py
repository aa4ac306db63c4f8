from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import pytest
import requests
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from tests.portal.identity.development_sso.conftest import callback

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def signed_in(relying):
    """Zoë, signed in at the client; the ID token that the client holds."""
    return relying.token(relying.sign_in("zoe.lindqvist")["code"]).json()["id_token"]


def sign_out(relying, **parameters):
    url = f"{relying.sso.issuer}/logout?{urlencode(parameters)}"
    return relying.browser.get(url, allow_redirects=False, timeout=60)


def test_signing_out_ends_the_session_and_leads_back_to_the_client(relying, signed_in):
    response = sign_out(
        relying,
        id_token_hint=signed_in,
        post_logout_redirect_uri=relying.sso.post_logout_redirect_uri,
        state="s & t",
    )
    assert response.status_code == 303
    assert response.headers["Location"].split("?")[0] == relying.sso.post_logout_redirect_uri
    assert callback(response) == {"state": "s & t"}
    assert "devsso" not in relying.browser.cookies
    assert callback(relying.ask(prompt="none"))["error"] == "login_required"


def test_an_id_token_that_has_expired_still_signs_out(relying, signed_in, development_sso):
    development_sso.clock.ahead = 3600
    response = sign_out(
        relying, id_token_hint=signed_in, post_logout_redirect_uri=relying.sso.post_logout_redirect_uri
    )
    assert response.status_code == 303


def test_the_cookie_of_an_ended_session_is_worth_nothing(relying, signed_in):
    kept = relying.browser.cookies["devsso"]
    before = requests.get(
        relying.url(prompt="none"), headers={"Cookie": f"devsso={kept}"}, allow_redirects=False, timeout=60
    )
    assert callback(before)["code"]
    sign_out(relying, id_token_hint=signed_in)
    replayed = requests.get(
        relying.url(prompt="none"), headers={"Cookie": f"devsso={kept}"}, allow_redirects=False, timeout=60
    )
    assert callback(replayed)["error"] == "login_required"


def test_the_client_is_told_of_the_ended_session(relying, signed_in, client_page):
    sid = relying.checked(signed_in)["sid"]
    sign_out(relying, id_token_hint=signed_in)
    assert len(client_page.posted) == 1
    path, body = client_page.posted[0]
    assert path == "/backchannel"
    token = parse_qs(body.decode())["logout_token"][0]
    claims = relying.checked(token)
    assert claims["sid"] == sid
    assert claims["sub"] == "p-1002"
    assert claims["aud"] == relying.sso.client_id
    assert claims["iss"] == relying.sso.issuer
    assert claims["events"] == {EVENT: {}}
    assert claims["jti"]
    assert claims["exp"] > claims["iat"]
    assert "nonce" not in claims
    assert jws.extract_compact(token.encode()).headers()["typ"] == "logout+jwt"


def test_the_client_is_told_when_somebody_else_takes_the_browser_over(relying, signed_in, client_page):
    relying.sign_in("jose.almeida", prompt="login")
    assert len(client_page.posted) == 1
    token = parse_qs(client_page.posted[0][1].decode())["logout_token"][0]
    assert relying.checked(token)["sid"] == relying.checked(signed_in)["sid"]


def test_codes_and_tokens_end_with_the_session(relying):
    used = relying.token(relying.sign_in("zoe.lindqvist")["code"]).json()
    unused = callback(relying.ask())["code"]
    sign_out(relying, id_token_hint=used["id_token"])
    bearer = {"Authorization": f"Bearer {used['access_token']}"}
    assert requests.get(f"{relying.sso.issuer}/userinfo", headers=bearer, timeout=60).status_code == 401
    assert relying.token(unused).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("address", ["https://evil.example/", "{}/", "{}?x=1", "{}/../callback"])
def test_only_the_address_that_was_agreed_on_is_led_back_to(relying, signed_in, address):
    wanted = address.format(relying.sso.post_logout_redirect_uri)
    response = sign_out(relying, id_token_hint=signed_in, post_logout_redirect_uri=wanted)
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert "You are signed out" in response.text


def test_without_a_hint_the_person_is_asked_first(relying, signed_in, client_page):
    page = sign_out(relying)
    assert "Do you want to sign out?" in page.text
    assert client_page.posted == []
    assert callback(relying.ask(prompt="none"))["code"]

    blind = relying.browser.post(f"{relying.sso.issuer}/logout", data={"confirm": "guess"}, timeout=60)
    assert "Do you want to sign out?" in blind.text

    confirm = page.text.split('name="confirm" value="')[1].split('"')[0]
    done = relying.browser.post(f"{relying.sso.issuer}/logout", data={"confirm": confirm}, timeout=60)
    assert "You are signed out" in done.text
    assert callback(relying.ask(prompt="none"))["error"] == "login_required"


def test_the_hint_of_somebody_else_does_not_sign_this_person_out(relying, signed_in):
    relying.sign_in("jose.almeida", prompt="login")
    page = sign_out(
        relying, id_token_hint=signed_in, post_logout_redirect_uri=relying.sso.post_logout_redirect_uri
    )
    assert page.status_code == 200
    assert "José Almeida" in page.text
    assert callback(relying.ask(prompt="none"))["code"]


def test_a_forged_hint_is_refused_and_ends_nothing(relying, signed_in):
    claims = relying.checked(signed_in)
    forged = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048), ["RS256"])
    for hint in (forged, "x.y.z", "nonsense", signed_in[:-4] + "AAAA"):
        response = sign_out(
            relying, id_token_hint=hint, post_logout_redirect_uri=relying.sso.post_logout_redirect_uri
        )
        assert response.status_code == 400
        assert "Location" not in response.headers
    assert callback(relying.ask(prompt="none"))["code"]


def test_signing_out_twice_is_no_error(relying, signed_in):
    for _ in range(2):
        response = sign_out(
            relying, id_token_hint=signed_in, post_logout_redirect_uri=relying.sso.post_logout_redirect_uri
        )
        assert response.status_code == 303
