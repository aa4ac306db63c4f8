"""The pages in a real browser: by keyboard, without JavaScript, on a phone, under their own policy."""

from __future__ import annotations

import re

import html5lib
import pytest
from playwright.sync_api import expect

from portal.identity.development_sso.config import ACR_MFA
from tests.browser.look import violations


def test_signing_in_works_without_javascript(chromium, relying):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(relying.url(acr_values=ACR_MFA))
    page.get_by_role("button", name="Łukasz Wiśniewski").click()
    page.get_by_label("Password").fill("countersign")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Six digits").fill(page.locator("[data-one-time-code]").inner_text())
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(re.compile("/callback"))
    assert page.url.startswith(relying.sso.redirect_uri)
    code = re.search(r"[?&]code=([^&]+)", page.url)
    assert code is not None
    assert relying.claims(code[1])["sub"] == "p-1014"
    context.close()


def test_signing_in_works_by_keyboard_alone(chromium, relying):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(relying.url(login_hint="zoe.lindqvist"))
    # A page puts the cursor where it belongs a moment after it has loaded.
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("countersign")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/callback"))
    assert "code=" in page.url
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_a_violation_or_is_wider_than_the_screen(chromium, relying, width):
    context = chromium.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def check(heading: str) -> None:
        assert page.get_by_role("heading", level=1).inner_text() == heading
        html5lib.HTMLParser(strict=True).parse(page.content())
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(relying.sso.issuer)
    check("Nobody is signed in")
    page.goto(relying.url(acr_values=ACR_MFA))
    check("Who are you?")
    page.get_by_role("button", name="Pavel Dvořák").click()
    check("Who are you?")
    page.get_by_role("button", name="Zoë Lindqvist").click()
    check("Sign in to Countersign")
    page.get_by_role("button", name="Sign in", exact=True).click()
    check("Sign in to Countersign")
    assert page.get_by_role("alert").inner_text().endswith("Enter the password")
    page.get_by_label("Password").fill("countersign")
    page.get_by_role("button", name="Sign in", exact=True).click()
    check("Confirm that it is you")
    page.get_by_label("Six digits").fill(page.locator("[data-one-time-code]").inner_text())
    page.get_by_role("button", name="Confirm").click()
    page.goto(relying.url(prompt="consent"))
    check("Let Countersign know who you are?")
    page.goto(relying.sso.issuer)
    check("You are signed in")
    page.get_by_role("link", name="Sign out").click()
    check("Do you want to sign out?")
    page.get_by_role("button", name="Sign out").click()
    check("You are signed out")
    page.goto(f"{relying.sso.issuer}/nowhere")
    check("That did not work")
    assert [complaint for complaint in complaints if "Failed to load resource" not in complaint] == []
    context.close()
