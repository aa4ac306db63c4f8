"""A decision signed with a passkey on a phone: enrolled on the way, checked in the evidence afterwards."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect
from sqlalchemy import select

from catalog.offerings.publish import publish
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.demo import orders
from portal.demo.visitor import Visitor, form_to, form_with
from portal.identity.actor import Actor
from portal.identity.model import Person
from tests.browser.house import House
from tests.browser.look import look
from tests.browser.story import Teller
from tests.browser.visitor import PHONE, confirm_password, sign_in

pytestmark = pytest.mark.xdist_group("browser")
ASKS, DECIDES, READS = "siobhan.oneill", "marcus.johnson", "aicha.benali"
WHY = "Agreed with the freight desk."


def _offer_what_must_be_signed(house: House) -> str:
    """Access that one person may order, and whose decision is always signed: nobody else's pages change."""
    text = yaml.safe_load((services_folder() / "application-access.yaml").read_text(encoding="utf-8"))
    text |= {"slug": "signed-access", "name": "Access that is signed for", "keywords": []}
    text |= {"audience": f'requester.user_name == "{ASKS}"', "signature": {"passkey_from": "low"}}
    text["route"]["stages"] = text["route"]["stages"][:1]
    text.pop("languages", None)
    db = Database(f"sqlite:///{house.database}")
    with db.transaction() as session:
        owner = session.scalars(select(Person).where(Person.user_name == "nadia.haddad")).one()
        publish(
            session, Actor(name=owner.name, person_id=owner.id), yaml.safe_dump(text), "signed-access.yaml"
        )
    db.dispose()
    return str(text["slug"])


def _ordered(house: House, slug: str) -> str:
    who = Visitor(house.portal, ASKS)
    ordered = replace(orders.access(ASKS, "CRM – Sales user"), slug=slug)  # noqa: RUF001
    page = who.open(f"/catalogue/{slug}/request")
    form = form_with(page, "role")
    role = next(value for value, text in form.choices["role"].items() if text == ordered.answers["role"])
    review = who.send(page, form, **{**ordered.answers, "role": role})
    reference = str(who.send(review, form_to(review, "/submit")).url.rpartition("/")[2])
    Teller(house).wait(reference, "pending", who=ASKS)
    return reference


def _second_factor(page: Page) -> None:
    page.locator('input[name="one_time_code"]').fill(page.locator("[data-one-time-code]").inner_text())
    page.get_by_role("button", name="Confirm").click()


def test_a_decision_is_signed_with_a_passkey_that_is_enrolled_on_the_way(
    visitors, chromium, tmp_path: Path
) -> None:
    house: House = visitors.house
    reference = _ordered(house, _offer_what_must_be_signed(house))
    with visitors.window(chromium, DECIDES, javascript=False, width=PHONE, fresh=True) as page:
        page.goto(f"/approvals/{reference}")
        sign_in(page, DECIDES)
        expect(page.get_by_text("Signing with a passkey needs JavaScript.")).to_be_visible()
        page.get_by_label("Your comment").fill(WHY)
        page.get_by_role("button", name="Approve").click()
        _password_again(page)
        expect(page.get_by_text("Making a passkey needs JavaScript.")).to_be_visible()
    with visitors.window(chromium, fresh=True, width=PHONE) as page:
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.goto(f"/approvals/{reference}")
        sign_in(page, DECIDES)
        expect(page.get_by_role("link", name="Enrol a passkey now")).to_be_visible()
        look(page)
        page.get_by_label("Your comment").fill(WHY)
        page.get_by_role("button", name="Approve").click()
        _password_again(page)
        expect(page.get_by_text("what you wrote is kept")).to_be_visible()
        look(page)
        page.get_by_label("What you call it").fill("Work phone")
        page.get_by_role("button", name="Make the passkey").click()
        page.wait_for_url(re.compile(f"/approvals/{reference}"))
        expect(page.get_by_role("status")).to_contain_text("is enrolled")
        expect(page.get_by_label("Your comment")).to_have_value(WHY)
        expect(page.get_by_text("You sign it with your passkey")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_have_text(re.compile(f"You approved {reference}"))
        page.goto("/me")
        look(page)
        page.get_by_role("link", name="Passkeys").click()
        expect(page.get_by_text("Work phone").first).to_be_visible()
        look(page)
        page.get_by_role("link", name="Revoke “Work phone”").click()
        look(page)
        page.get_by_role("button", name="Revoke it").click()
        expect(page.get_by_text("These sign nothing any more.")).to_be_visible()
    Teller(house).wait(reference, "fulfilled", who=ASKS)
    file = tmp_path / "evidence.pdf"
    file.write_bytes(Visitor(house.portal, READS).open(f"/requests/{reference}/evidence.pdf").content)
    # A process of its own: the browser holds this one's event loop.
    said = subprocess.run(
        [sys.executable, "-m", "portal.cli", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    words = " ".join(said.stdout.split())
    assert "The approval by Marcus Johnson is signed with the passkey “Work phone”" in words
    assert "The key was revoked after it had signed." in words


def _password_again(page: Page) -> None:
    """Whatever the provider wants to see again before keys may be changed: the password, a second factor, or both."""
    expect(page.get_by_label("Password").or_(page.locator("[data-one-time-code]"))).to_be_visible()
    if page.get_by_label("Password").count():
        confirm_password(page)
    _second_factor(page)
