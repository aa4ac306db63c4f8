"""An emergency on a phone: asked for, agreed by two of the committee, begun at once, reviewed by who was passed over."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.journeys import open_mail, review, submit, wait_for_state
from tests.browser.look import look
from tests.browser.visitor import PHONE, new_page, sign_in

pytestmark = pytest.mark.xdist_group("browser")
ANALYST, CIO, CISO, REVIEWER = "marta.kowalczyk", "juergen.weiss", "zoe.lindqvist", "freya.norgaard"


def test_an_emergency_goes_from_submit_to_its_review_on_a_phone(visitors, chromium):
    with visitors.window(chromium, ANALYST, width=PHONE) as page:
        page.goto("/catalogue/emergency-change/request")
        page.get_by_label("Incident", exact=True).fill("INC-20261122-07")
        page.get_by_label("Block indicators of the attack").check()
        page.get_by_role("button", name="Continue to review").click()
        page.get_by_label("Type, row 1").select_option("domain")
        page.get_by_label("Indicator, row 1").fill("updates.bad.example")
        page.get_by_label("What is happening?").fill(
            "Three laptops in Lisbon call a domain that spreads ransomware."
        )
        page.get_by_label("How long does it stand?").fill("24 hours")
        page.get_by_label("Rollback plan").fill("If orders stop, the block leaves the proxy in five minutes.")
        review(page)
        expect(page.get_by_text("2 of 5 must agree")).to_be_visible()
        look(page)
        reference = submit(page)
        wait_for_state(page, reference, "Awaiting approval")
    for member in (CIO, CISO):
        with visitors.window(chromium, member, width=PHONE) as page:
            page.goto(f"/approvals/{reference}")
            expect(page.get_by_text("Is waiting worse than this")).to_be_visible()
            page.get_by_role("button", name="Approve").click()
            expect(page.get_by_role("status")).to_contain_text(f"You approved {reference}")
    with visitors.window(chromium, ANALYST, width=PHONE) as page:
        wait_for_state(page, reference, "Being fulfilled")
        page.goto("/approvals/emergencies")
        expect(page.get_by_role("row").filter(has_text=reference)).to_contain_text("Waits for its review")
        look(page)
    context = visitors.context(chromium, width=PHONE)
    card = new_page(context)
    mail = open_mail(card, visitors.house, REVIEWER, reference)
    card.goto(mail.get_by_role("link", name="Review it now").get_attribute("href"))
    sign_in(card, REVIEWER)
    card.wait_for_url(re.compile(f"/approvals/{reference}/review"))
    look(card)
    card.get_by_role("button", name="It was right").click()
    expect(card.locator(".govuk-error-summary")).to_be_focused()
    card.get_by_label("Why", exact=True).fill("The domain is a known one, and nothing of ours is behind it.")
    card.get_by_role("button", name="It was right").click()
    expect(card.get_by_role("status")).to_contain_text(f"You found {reference} right")
    expect(card.get_by_text("It was reviewed and found right. It stays in place.")).to_be_visible()
    look(card)
    context.close()
