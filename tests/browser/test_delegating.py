"""A manager goes away: on a phone they name a substitute, who decides in their place; both names are shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.journeys import MANAGER, OUTSIDER, REQUESTER, in_days, wait_for_state
from tests.browser.look import look
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.xdist_group("browser")


def test_a_substitute_decides_and_both_names_are_shown(visitors, chromium, teller):
    with visitors.window(chromium, MANAGER, width=PHONE) as page:
        page.goto("/me/delegations")
        if page.get_by_role("button", name="End").count():  # a first try's, which would stand in the way
            _end(page)
        page.goto("/me")
        page.get_by_role("link", name="Delegation").click()
        look(page)
        page.get_by_role("button", name="Delegate").click()
        expect(page.locator(".govuk-error-summary")).to_contain_text("Say who decides in your place.")
        look(page)
        page.get_by_label("Who decides in your place").fill(OUTSIDER)
        page.get_by_label("First day").fill(in_days(0))
        page.get_by_label("Last day").fill(in_days(3))
        page.get_by_role("button", name="Delegate").click()
        expect(page.get_by_role("status").first).to_contain_text("may decide in your place")
        look(page)
    reference = teller.order("access", "CRM – Reporting")  # noqa: RUF001
    with visitors.window(chromium, OUTSIDER, width=PHONE) as page:
        page.goto("/approvals")
        page.get_by_role("link", name=reference).click()
        expect(page.get_by_text("You decide for Inês Carvalho")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("You approved")
    with visitors.window(chromium, REQUESTER, width=PHONE) as page:
        wait_for_state(page, reference, "Fulfilled")
        expect(page.get_by_text("in the place of Inês Carvalho").first).to_be_visible()
        look(page)
    with visitors.window(chromium, MANAGER, width=PHONE) as page:
        page.goto("/me/delegations")
        _end(page)
        for path in ("/me/absences", "/me/mail"):
            page.goto(path)
            look(page)


def _end(page: Page) -> None:
    """End the only delegation that is in force."""
    page.get_by_role("button", name="End").click()
    expect(page.get_by_role("status")).to_contain_text("has ended")
