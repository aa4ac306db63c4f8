"""What the card says of signing, and where somebody without a key or without JavaScript is led."""

from __future__ import annotations

import json
from typing import Any

import html5lib
import pytest

from approvals.decisions.model import Verdict
from portal.identity.actor import Actor
from portal.identity.model import Person
from tests.approvals.conftest import Browser, Web
from tests.approvals.signatures.test_sign import HIGH, signed_offering
from tests.fixtures_passkeys import SoftAuthenticator, enrol_with
from tests.fixtures_people import MFA

COMMENT = "Seen with the owner."


@pytest.fixture
def card(web: Web) -> str:
    """The path of a card whose decision has to be signed by Milo, the manager."""
    request_id = web.story.request(signed_offering(web.story, "high"), risk=HIGH)
    web.story.plan(request_id)
    return f"/approvals/{web.story.see(request_id).reference}"


def enrol_through_pages(web: Web, browser: Browser, path: str) -> SoftAuthenticator:
    """Fill in the enrolment page as the script does."""
    device = SoftAuthenticator()
    form = signing_form(browser, path, "create")
    answer = device.create(json.loads(form["options"]))
    fields = {**form["fields"], "answer": answer, "name": "Work phone"}
    answered = browser.client.post("/me/passkeys/new", data=fields, headers={"Origin": browser.origin})
    assert answered.status_code == 303
    assert answered.location.endswith(form["fields"]["next"])
    return device


def signing_form(browser: Browser, path: str, kind: str) -> dict[str, Any]:
    """The form that the script answers: its options and its fields."""
    page = html5lib.parse(browser.get(path).get_data(as_text=True), namespaceHTMLElements=False)
    form = next(form for form in page.iter("form") if form.get("data-passkey") == kind)
    fields = {field.get("name", ""): field.get("value", "") for field in form.iter("input")}
    return {"options": form.get("data-passkey-options"), "fields": fields}


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_without_a_key_one_is_led_to_enrolment_and_back_with_the_comment_kept(web: Web, card: str) -> None:
    browser = web.browser(web.story.cast.manager)
    page = browser.get(card).get_data(as_text=True)
    assert "It has to be signed with a passkey, and you have none yet." in page
    answer = browser.press(card, "approve", comment=COMMENT)
    assert answer.status_code == 303
    assert answer.location == f"/me/passkeys/new?next={card}"
    enrolment = browser.get(answer.location).get_data(as_text=True)
    assert "Making a passkey needs JavaScript." in enrolment
    device = enrol_through_pages(web, browser, answer.location)
    back = browser.get(card).get_data(as_text=True)
    assert COMMENT in back
    assert "You sign it with your passkey" in back
    form = signing_form(browser, card, "get")
    signed = device.get(json.loads(form["options"])[Verdict.APPROVE.value])
    done = browser.press(
        card,
        "approve",
        comment=COMMENT,
        passkey_answer=signed,
        passkey_nonce=form["fields"]["passkey_nonce"],
    )
    assert done.status_code == 303
    assert f"You approved {card.rpartition('/')[2]}" in browser.get(card).get_data(as_text=True)


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_without_javascript_nothing_is_decided_and_the_page_says_why(web: Web, card: str) -> None:
    browser = web.browser(web.story.cast.manager)
    enrol_through_pages(web, browser, f"/me/passkeys/new?next={card}")
    page = browser.get(card).get_data(as_text=True)
    assert "Signing with a passkey needs JavaScript." in page
    answer = browser.press(card, "deny", comment=COMMENT)
    assert answer.status_code == 422
    said = answer.get_data(as_text=True)
    assert "Nothing was decided" in said
    assert "That needs JavaScript" in said
    assert COMMENT in said


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_an_old_or_weak_sign_in_leads_to_the_provider_before_a_key_can_be_added(web: Web, card: str) -> None:
    browser = web.browser(web.story.cast.manager, acr="urn:countersign:acr:password")
    answer = browser.get(f"/me/passkeys/new?next={card}")
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in/again?max_age=300&acr=urn:countersign:acr:mfa&next=")


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_nobody_sees_or_revokes_anothers_key(web: Web) -> None:
    owner = web.story.cast.owner
    with web.portal.db.transaction() as session:
        person = session.get_one(Person, owner)
        actor = Actor(
            name=person.name,
            person_id=owner,
            issuer=person.issuer,
            subject=person.subject,
            session_id=1,
            auth_time=web.clock(),
            acr=MFA,
        )
        passkey = enrol_with(session, actor, web.portal.settings, SoftAuthenticator(), "Olga keeps this one")
    browser = web.browser(web.story.cast.manager)
    assert "Olga keeps this one" not in browser.get("/me/passkeys").get_data(as_text=True)
    assert browser.get(f"/me/passkeys/{passkey.id}/revoke").status_code == 404
    assert "Olga keeps this one" in web.browser(owner).get("/me/passkeys").get_data(as_text=True)


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize("elsewhere", ["//evil.test", "https://evil.test", "/\\evil.test"])
def test_enrolment_leads_to_no_other_origin(web: Web, elsewhere: str) -> None:
    browser = web.browser(web.story.cast.manager)
    form = signing_form(browser, f"/me/passkeys/new?next={elsewhere}", "create")
    assert form["fields"]["next"] == "/"
