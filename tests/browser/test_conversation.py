"""On a phone: an approver asks and proposes less, the requester answers; and several cards are decided at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.journeys import (
    MANAGER,
    REQUESTER,
    in_days,
    open_mail,
    wait_for_state,
)
from tests.browser.look import look
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.xdist_group("browser")
MORE = re.compile("^More: ask")


def test_an_approver_asks_and_proposes_less_and_the_requester_answers(visitors, chromium, teller):
    reference = teller.order("access", "Data warehouse – Analyst", person="goncalo.pires")  # noqa: RUF001
    with visitors.window(chromium, MANAGER, width=PHONE, javascript=False) as page:
        page.goto(f"/approvals/{reference}")
        expect(page.get_by_role("button", name="Approve")).to_be_in_viewport(ratio=1)
        page.get_by_text(MORE).click()
        page.get_by_label("Your question").fill("For which accounts is this?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_text("The answer comes back to you.").first).to_be_visible()
    with visitors.window(chromium, REQUESTER, width=PHONE, javascript=False) as page:
        open_mail(page, visitors.house, REQUESTER, reference, "Your answer is needed")
        page.goto(f"/requests/{reference}")
        expect(page.locator(".cs-baton__who")).to_have_text("Beatriz Sousa")
        page.get_by_label("Your answer").fill("For Iberia alone.")
        page.get_by_role("button", name="Send the answer").click()
        expect(page.locator(".cs-baton__who")).to_have_text("Inês Carvalho")
    with visitors.window(chromium, MANAGER, width=PHONE) as page:
        page.goto(f"/approvals/{reference}")
        expect(page.get_by_text("For Iberia alone.")).to_be_visible()
        page.get_by_text(MORE).click()
        look(page)
        page.get_by_role("link", name="Propose less").click()
        page.get_by_label("Until when?").fill(in_days(20))
        page.get_by_label("Why you propose this").fill("Until the quarter closes.")
        look(page)
        page.get_by_role("button", name="Send the proposal").click()
        expect(page.get_by_role("status")).to_contain_text("Your proposal is with the requester")
    with visitors.window(chromium, REQUESTER, width=PHONE) as page:
        page.goto(f"/requests/{reference}")
        expect(page.get_by_role("heading", name="Inês Carvalho proposes less")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Accept the proposal").click()
        expect(page.get_by_role("status")).to_contain_text("changed as proposed")
        wait_for_state(page, reference, "Awaiting approval")
    with visitors.window(chromium, MANAGER, width=PHONE) as page:
        page.goto(f"/approvals/{reference}")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text(f"You approved {reference}")


def test_cards_that_were_opened_are_decided_together(visitors, chromium, teller):
    references = [
        teller.order("certificate", validity_days="90"),
        teller.order("access", "Freight planning – Dispatcher"),  # noqa: RUF001
    ]
    with visitors.window(chromium, MANAGER, width=PHONE) as page:
        page.goto("/approvals")
        for reference in references:
            page.goto(f"/approvals/{reference}")
        page.goto("/approvals")
        look(page)
        page.get_by_text("Filter what is listed").click()
        page.get_by_label("Asked by").fill("beatriz")
        page.get_by_role("button", name="Show", exact=True).click()
        for reference in references:
            page.get_by_label(f"Choose {reference}").check()
        page.get_by_role("button", name="Deny those chosen").click()
        expect(page.get_by_role("heading", name="Decide together")).to_be_visible()
        look(page)
        page.get_by_label("Your comment on all of them").fill("The new names come first.")
        page.get_by_role("button", name="Deny them").click()
        outcomes = page.get_by_role("table", name="What became of those you decided together")
        expect(outcomes.get_by_text("Denied")).to_have_count(2)
        look(page)
    with visitors.window(chromium, REQUESTER, width=PHONE, javascript=False) as page:
        wait_for_state(page, references[0], "Rejected")
        expect(page.get_by_text("The new names come first.").first).to_be_visible()
