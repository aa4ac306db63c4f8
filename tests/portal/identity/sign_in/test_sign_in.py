"""Sign-in, step-up and sign-out over HTTP, against our development provider and against a certified one."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from portal.audit.model import Entry
from portal.identity.model import Person, WebSession
from tests.fixtures_site import Site
from tests.fixtures_sso import sign_in_through_sso

pytestmark = pytest.mark.on_sqlite

WHO = "beatriz.sousa"


def tags(site: Site) -> list[str]:
    with site.portal.db.reading() as session:
        return list(
            session.scalars(select(Entry.tag).where(Entry.tag.startswith("session:")).order_by(Entry.number))
        )


def test_a_person_signs_in_and_comes_back_to_the_page_they_wanted(site: Site) -> None:
    http = site.visitor()
    page = sign_in_through_sso(http, f"{site.url}/requests", WHO)
    assert page.url == f"{site.url}/requests"
    assert "Beatriz Sousa" in page.text
    assert tags(site) == ["session:started"]


def test_before_sign_in_every_address_answers_alike(site: Site) -> None:
    answers = [
        site.visitor().get(f"{site.url}{path}", allow_redirects=False)
        for path in ("/requests/SR-000001", "/requests/SR-999999", "/approvals/SR-000001", "/ledger")
    ]
    assert {answer.status_code for answer in answers} == {303}
    assert all(answer.headers["Location"].startswith("/sign-in?next=") for answer in answers)


def test_a_part_of_a_page_that_asks_for_itself_is_told_so_and_led_nowhere(site: Site) -> None:
    answers = [
        site.visitor().get(f"{site.url}{path}", headers={"HX-Request": "true"}, allow_redirects=False)
        for path in ("/requests/SR-000001/progress", "/requests/SR-999999/progress", "/audits/AR-0001?live=1")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert all("Sign in to go on." in answer.text for answer in answers)


def test_the_session_cookie_is_a_random_token_that_scripts_cannot_read(site: Site) -> None:
    http = site.visitor(WHO)
    cookie = next(cookie for cookie in http.cookies if cookie.name == "countersign")
    assert len(str(cookie.value)) >= 43
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
    with site.portal.db.reading() as session:
        hashes = list(session.scalars(select(WebSession.token_hash)))
    assert str(cookie.value) not in hashes


def test_a_new_session_begins_at_sign_in(site: Site) -> None:
    http = site.visitor()
    http.get(f"{site.url}/sign-in", allow_redirects=False)
    before = http.cookies["countersign"]
    sign_in_through_sso(http, f"{site.url}/sign-in", WHO)
    assert http.cookies["countersign"] != before
    stolen = requests.get(
        f"{site.url}/requests", cookies={"countersign": str(before)}, allow_redirects=False, timeout=60
    )
    assert stolen.status_code == 303


def test_the_authorization_request_carries_pkce_state_and_nonce(site: Site) -> None:
    answer = site.visitor().get(f"{site.url}/sign-in", allow_redirects=False)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert len(asked["state"][0]) >= 20
    assert len(asked["nonce"][0]) >= 20
    assert "code_verifier" not in asked


def test_the_answer_to_another_browsers_sign_in_is_refused(site: Site) -> None:
    victim, attacker = site.visitor(), site.visitor()
    state = parse_qs(
        urlsplit(attacker.get(f"{site.url}/sign-in", allow_redirects=False).headers["Location"]).query
    )
    victim.get(f"{site.url}/sign-in", allow_redirects=False)
    answer = victim.get(f"{site.url}/sign-in/callback", params={"state": state["state"][0], "code": "x"})
    assert answer.status_code == 403
    assert "could not be verified" in answer.text
    assert victim.get(f"{site.url}/requests", allow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "x"},
        {"state": "x"},
        {"state": "x", "code": "y"},
        {"error": "access_denied"},
        {"state": "", "code": "", "iss": ""},
    ],
    ids=str,
)
def test_a_callback_that_nobody_asked_for_is_refused(site: Site, query: dict[str, str]) -> None:
    answer = site.visitor().get(f"{site.url}/sign-in/callback", params=query)
    assert answer.status_code == 403
    assert tags(site) == ["session:refused"]


def test_an_answer_from_another_issuer_is_refused(site: Site) -> None:
    http = site.visitor()
    state = parse_qs(
        urlsplit(http.get(f"{site.url}/sign-in", allow_redirects=False).headers["Location"]).query
    )["state"]
    answer = http.get(
        f"{site.url}/sign-in/callback", params={"state": state[0], "code": "x", "iss": "https://evil.test"}
    )
    assert answer.status_code == 403
    again = http.get(f"{site.url}/sign-in/callback", params={"state": state[0], "code": "x"})
    assert again.status_code == 403


def test_somebody_whom_the_portal_does_not_know_is_told_so(site: Site) -> None:
    with site.portal.db.transaction() as session:
        person = session.scalars(select(Person).where(Person.user_name == WHO)).one()
        person.active = False
    page = sign_in_through_sso(site.visitor(), f"{site.url}/sign-in", WHO)
    assert page.status_code == 403
    assert "no longer active" in page.text
    assert tags(site) == ["session:refused"]


def test_a_session_ends_when_its_person_becomes_inactive(site: Site) -> None:
    http = site.visitor(WHO)
    with site.portal.db.transaction() as session:
        session.scalars(select(Person).where(Person.user_name == WHO)).one().active = False
    assert http.get(f"{site.url}/requests", allow_redirects=False).status_code == 303


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_signing_out_ends_the_session_here_and_at_the_provider(site: Site) -> None:
    http = site.visitor(WHO)
    old = dict(http.cookies)
    page = http.get(f"{site.url}/requests")
    after = http.post(f"{site.url}/sign-out", data={"csrf_token": token_of(page.text)})
    assert after.url.startswith(f"{site.url}/signed-out")
    assert "You are signed out" in after.text
    kept = requests.get(f"{site.url}/requests", cookies=old, allow_redirects=False, timeout=60)
    assert kept.status_code == 303
    # the provider asks for the password again
    with pytest.raises(AssertionError):
        page = http.get(f"{site.url}/requests")
        assert page.url == f"{site.url}/requests"
    assert tags(site) == ["session:started", "session:ended"]


def test_a_step_up_asks_for_the_second_factor_and_comes_back(site: Site) -> None:
    http = site.visitor(WHO)
    page = sign_in_through_sso(
        http,
        f"{site.url}/sign-in/again?max_age=0&acr=urn:countersign:acr:mfa&next=/requests",
        WHO,
        mfa=True,
    )
    assert page.url == f"{site.url}/requests"
    with site.portal.db.reading() as session:
        newest = session.scalars(select(WebSession).order_by(WebSession.id.desc())).first()
    assert newest is not None and newest.acr == "urn:countersign:acr:mfa"
    assert tags(site) == ["session:started", "session:stepped-up"]


def test_pages_behind_sign_in_are_never_stored_and_carry_the_strict_policy(site: Site) -> None:
    answer = site.visitor(WHO).get(f"{site.url}/requests")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy


def test_a_body_over_one_mebibyte_is_refused(site: Site) -> None:
    http = site.visitor(WHO)
    answer = http.post(f"{site.url}/sign-out", data={"csrf_token": "x" * (1024 * 1024 + 10)})
    assert answer.status_code == 413


def certified_sign_in(http: requests.Session, start: str, login: str) -> requests.Response:
    page = http.get(start)
    if 'name="login"' in page.text:
        page = http.post(page.url, data={"login": login}, headers={"Origin": "null"})
    return page


def test_the_same_portal_signs_in_against_a_certified_provider(certified_site: Site) -> None:
    site = certified_site
    http = site.visitor()
    page = certified_sign_in(http, f"{site.url}/requests", "p-2003")
    assert page.url == f"{site.url}/requests"
    assert "Beatriz Sousa" in page.text


def test_a_step_up_works_against_a_certified_provider(certified_site: Site) -> None:
    site = certified_site
    http = site.visitor()
    certified_sign_in(http, f"{site.url}/requests", "p-2003")
    start = f"{site.url}/sign-in/again?max_age=0&acr=urn:countersign:acr:mfa&next=/requests"
    page = certified_sign_in(http, start, "p-2003")
    assert page.url == f"{site.url}/requests"
    with site.portal.db.reading() as session:
        newest = session.scalars(select(WebSession).order_by(WebSession.id.desc())).first()
    assert newest is not None and newest.acr == "urn:countersign:acr:mfa"


def test_signing_out_works_against_a_certified_provider(certified_site: Site) -> None:
    site = certified_site
    http = site.visitor()
    page = certified_sign_in(http, f"{site.url}/requests", "p-2003")
    after = http.post(f"{site.url}/sign-out", data={"csrf_token": token_of(page.text)})
    assert "op.logoutForm" in after.text
