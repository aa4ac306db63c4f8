# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""The pages of reconciliation and of tokens, as compliance, owners and strangers use them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalog.reconciliation.model import Finding
from catalog.requests.model import Request
from portal.app import create_app
from portal.identity.model import WebSession
from tests.catalog.reconciliation.test_working_findings import given_behind_our_back, read
from tests.catalog.requests.conftest import Web

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def web(world):
    return Web(world.portal, create_app(portal=world.portal))


def numbers(world):
    with world.db.reading() as session:
        return session.scalars(select(Finding.id).order_by(Finding.id)).all()


def test_compliance_sees_the_figure_and_works_a_finding_to_a_request(world, cast, web):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    given_behind_our_back(world, "beatriz.sousa", "CRM – Reporting")
    read(world)
    page = web.browser(cast.compliance)
    shown = page.get("/reconciliation")
    assert "Explained: 0 of 2" in shown
    assert "CRM – Reporting" in shown
    assert len(web.counting(lambda: page.get("/reconciliation"))) <= 8
    first, second = numbers(world)
    assert "No findings" in page.get("/reconciliation?state=closed&kind=drifted&connector=scim")
    shown = page.get(f"/reconciliation/findings/{first}")
    assert "no request allows it" in shown
    assert len(web.counting(lambda: page.get(f"/reconciliation/findings/{first}"))) <= 8
    wrong = page.post(f"/reconciliation/findings/{first}/remove", {"reason": "short"}, status=422)
    assert "Give a reason of 10" in wrong
    assert ">short</textarea>" in wrong
    made = page.post(f"/reconciliation/findings/{first}/remove", {"reason": "Nobody knows what it is for."})
    assert page.path.startswith("/requests/SR-")
    assert "Take away: beatriz.sousa has the role" in made
    assert "asks for" not in page.get(f"/reconciliation/findings/{second}")
    page.post(f"/reconciliation/findings/{first}/remove", {"reason": "Nobody knows what."}, status=409)


def test_findings_are_chosen_and_adopted_together(world, cast, web):
    for role in ("CRM – Sales user", "CRM – Reporting"):
        given_behind_our_back(world, "beatriz.sousa", role)
    read(world)
    page = web.browser(cast.operator)
    chosen = numbers(world)
    form = page.get("/reconciliation/adopt?" + "&".join(f"finding={number}" for number in chosen))
    # Whoever probably holds it stands there already.
    assert form.count('value="beatriz.sousa"') == 2
    keys = dict(re.findall(r'name="key-(\d+)" value="([^"]+)"', form))
    (token,) = re.findall(r'name="token" value="([^"]+)"', form)
    typed = {"token": token, "finding": [str(n) for n in chosen], "reason": "Since before the portal came."}
    for number in chosen:
        typed |= {
            f"key-{number}": keys[str(number)],
            f"holder-{number}": "beatriz.sousa",
            f"end-{number}": "",
        }
    wrong = page.post("/reconciliation/adopt", {**typed, f"holder-{chosen[0]}": "nobody.here"}, status=422)
    assert "nobody active has the user name" in wrong
    page.post("/reconciliation/adopt", typed)
    assert page.path.startswith("/orders/")
    page.post("/reconciliation/adopt", typed)
    with world.db.reading() as session:
        requests = session.scalars(select(Request).order_by(Request.number)).all()
    assert [len(request.answers["things"]) for request in requests] == [2]
    pasted = page.get("/reconciliation/adopt")
    assert 'name="rows"' in pasted
    wrong = page.post("/reconciliation/adopt", {"rows": "only-one-cell", "reason": "x" * 12}, status=422)
    assert "Row 1 has 1 cells" in wrong


def test_a_second_person_of_compliance_confirms_on_the_page(world, cast, web, clock):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    read(world)
    (number,) = numbers(world)
    page = web.browser(cast.compliance)
    page.get(f"/reconciliation/findings/{number}")
    until = (clock.time + timedelta(days=5)).date().isoformat()
    typed = {"reason": "It goes with the old system.", "until": until}
    assert "within a year" in page.post(
        f"/reconciliation/findings/{number}/accept", {**typed, "until": ""}, status=422
    )
    shown = page.post(f"/reconciliation/findings/{number}/accept", typed)
    assert "You proposed this" in shown
    page.post(f"/reconciliation/findings/{number}/confirm", status=403)
    auditor = web.browser(cast.auditor)
    assert "You proposed" not in auditor.get(f"/reconciliation/findings/{number}")
    auditor.get("/me/tokens")
    auditor.post(f"/reconciliation/findings/{number}/confirm", status=403)
    auditor.post("/reconciliation/read", status=403)


def test_owners_see_their_own_findings_and_strangers_none(world, cast, web):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    given_behind_our_back(world, "beatriz.sousa", "Data warehouse – Analyst")
    read(world)
    mine, others = numbers(world)
    owner = web.browser(cast.second_owner)
    shown = owner.get("/reconciliation")
    assert "CRM – Sales user" in shown
    assert "Read every target now" not in shown
    stranger = web.browser(cast.outsider)
    assert "No findings" in stranger.get("/reconciliation")
    for number in (mine, others, 999, 10**30):
        stranger.get(f"/reconciliation/findings/{number}", status=404)
    stranger.get(f"/reconciliation/adopt?finding={mine}")
    stranger.post(f"/reconciliation/findings/{mine}/remove", {"reason": "Nobody knows why."}, status=404)


def sign_ins_aged(web, *, minutes: int) -> None:
    with web.portal.db.transaction() as session:
        for row in session.scalars(select(WebSession).order_by(WebSession.id)):
            row.auth_time -= timedelta(minutes=minutes)


def test_a_token_is_shown_once_and_revoked(world, cast, web, clock):
    page = web.browser(cast.compliance)
    page.get("/me/tokens")
    until = (clock.time + timedelta(days=30)).date().isoformat()
    typed = {"name": "SIEM", "scopes": ["explain"], "until": until}
    assert "Choose what" in page.post("/me/tokens", {**typed, "scopes": []}, status=422)
    assert "within a year" in page.post("/me/tokens", {**typed, "until": "2099-01-01"}, status=422)
    page.post("/me/tokens", {**typed, "person": "rosa.requester"}, status=403)
    sign_ins_aged(web, minutes=20)
    page.post("/me/tokens", typed, follow=False, status=303)
    assert page.last.location.startswith("/sign-in")
    sign_ins_aged(web, minutes=-20)
    made = page.post("/me/tokens", typed)
    (token,) = set(re.findall(r"countersign_[A-Za-z0-9_-]{43}", made))
    assert page.last.headers["Cache-Control"] == "no-store"
    listed = page.get("/me/tokens")
    assert "SIEM" in listed
    assert token not in listed
    assert "There is a token of this name" in page.post("/me/tokens", typed, status=422)
    stranger = web.browser(cast.outsider)
    assert "SIEM" not in stranger.get("/me/tokens")
    stranger.post("/me/tokens/1/revoke", status=404)
    assert "opens nothing any more" in page.post("/me/tokens/1/revoke")
    assert "SIEM" not in page.get("/me/tokens").split("opens nothing")[-1]
