"""A system is picked from those that are known, and papers are added: one wrong, one at once, one with the form."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from catalog.requests.states import State
from tests.browser.journeys import follow, review, submit
from tests.browser.look import look
from tests.browser.visitor import HEIGHTS, new_page
from tests.catalog.attachments.test_kinds import PNG
from tests.fixtures_manual import Hands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_badge_is_asked_for_with_its_system_and_its_papers(
    hands: Hands, cast, chromium: Browser, width: int
):
    with hands.served() as url:
        context = chromium.new_context(
            base_url=url, viewport={"width": width, "height": HEIGHTS[width]}, locale="en-GB"
        )
        context.add_cookies([{"name": "countersign", "value": hands.token(cast.requester), "url": url}])
        page = new_page(context)
        try:
            page.goto("/catalogue/badge/request")
            door = page.get_by_label("Which system")
            offered = page.locator(f"datalist#{door.get_attribute('list')} option")
            names = ["Customer system (APP-1)", "Payroll (APP-2)"]
            # Of the assets that were imported, the applications alone; a server has no door of this kind.
            assert [option.get_attribute("value") for option in offered.all()] == names
            page.get_by_label("Word", exact=True).fill("Rosa")
            page.get_by_label("Reason", exact=True).fill("To get in.")
            door.fill("Payrol")
            papers = page.get_by_role("group", name="Papers")
            files = papers.locator("input[type=file]")
            files.set_input_files({"name": "plan.png", "mimeType": "image/png", "buffer": b"MZ no picture"})
            follow(page, page.get_by_role("button", name="Continue to review"))
            summary = page.locator(".govuk-error-summary")
            expect(summary).to_contain_text("plan.png")
            expect(summary).to_contain_text("Payrol")
            page.watch.complaints.clear()  # the browser's own word on status 422
            look(page)
            door.fill("payroll")
            files.set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": PNG})
            follow(page, papers.get_by_role("button", name="Upload now"))
            expect(papers.get_by_label("Keep photo.png")).to_be_checked()
            expect(door).to_have_value("payroll")
            look(page)
            files.set_input_files({"name": "note.txt", "mimeType": "text/plain", "buffer": b"Second floor."})
            review(page)
            for text in ("Payroll", "photo.png", "note.txt", "The system is critical."):
                expect(page.get_by_role("main")).to_contain_text(text)
            look(page)
            submit(page)
            hands.work()
            page.reload()
            expect(page.get_by_role("main")).to_contain_text("Owner of the system")
            with page.expect_download() as download:
                page.get_by_role("link", name="Download photo.png").click()
            assert download.value.suggested_filename == "photo.png"
            look(page)
        finally:
            context.close()
    request = hands.request(1)
    assert request.state is State.PENDING
    assert request.answers["door"]["name"] == "Payroll"
    assert len(request.answers["papers"]) == 2
