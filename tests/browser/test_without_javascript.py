"""Nothing needs a script: the same journeys with JavaScript switched off, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.journeys import (
    MANAGER,
    REQUESTER,
    SECURITY,
    fill_rule,
    find_service,
    open_mail,
    review,
    submit,
    wait_for_state,
)
from tests.browser.visitor import PHONE, sign_in

pytestmark = pytest.mark.xdist_group("browser")


def test_a_rule_is_asked_for_approved_and_fulfilled_without_javascript(visitors, chromium):
    with visitors.window(chromium, REQUESTER, width=PHONE, javascript=False) as page:
        find_service(page, "firewall", "Firewall rule")
        page.get_by_role("button", name="Continue to review").click()
        expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
        page.locator(".govuk-error-summary").get_by_role(
            "link", name="Choose the zone where the connection begins"
        ).click()
        assert page.url.endswith("#source_zone")
        fill_rule(page)
        review(page)
        reference = submit(page)
        wait_for_state(page, reference, "Awaiting approval")
        page.get_by_text("Menu").click()
        page.get_by_role("link", name="My requests").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("My requests")
    with visitors.window(chromium, width=PHONE, javascript=False) as page:
        mail = open_mail(page, visitors.house, MANAGER, reference)
        with page.context.expect_page() as opened:
            mail.get_by_role("link", name="Sign in to decide").click()
        card = opened.value
        sign_in(card, MANAGER)
        card.wait_for_url(re.compile(f"/approvals/{reference}"))
        card.get_by_text("Everything under the seal").click()
        expect(card.get_by_role("heading", name="Answers")).to_be_visible()
        card.get_by_label("Your comment").fill("Agreed.")
        card.get_by_role("button", name="Approve").click()
        expect(card.get_by_text(f"You approved {reference}")).to_be_visible()
    with visitors.window(chromium, SECURITY, width=PHONE, javascript=False) as page:
        page.goto(f"/approvals/{reference}")
        expect(page.get_by_text("16 addresses can reach 1 address on 1 port")).to_be_visible()
        expect(page.get_by_text("nftables: ").first).to_be_hidden()
        page.get_by_text("The same in the target's own words").click()
        expect(page.get_by_text("nftables: ").first).to_be_visible()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text(f"You approved {reference}")).to_be_visible()
    with visitors.window(chromium, REQUESTER, width=PHONE, javascript=False) as page:
        wait_for_state(page, reference, "Fulfilled")
        expect(page.get_by_text("Read back from the target").first).to_be_visible()
