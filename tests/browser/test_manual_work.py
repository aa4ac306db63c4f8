"""Manual work in a real browser, on a desk and on a phone: found, done, proved; with scripts and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from catalog.requests.states import State
from tests.browser.journeys import follow
from tests.browser.look import look
from tests.browser.visitor import HEIGHTS, new_page
from tests.catalog.attachments.test_kinds import PNG
from tests.fixtures_manual import Hands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_member_carries_the_checklist_out(
    hands: Hands, cast, chromium: Browser, width: int, javascript: bool, tmp_path: Path
):
    request_id = hands.handed_over(cast)
    proof = tmp_path / "screen.png"
    proof.write_bytes(PNG)
    with hands.served() as url:
        context = chromium.new_context(
            base_url=url, viewport={"width": width, "height": HEIGHTS[width]}, java_script_enabled=javascript
        )
        context.add_cookies([{"name": "countersign", "value": hands.token(cast.owner), "url": url}])
        page = new_page(context)
        try:
            page.goto("/work")
            seen(page, javascript, tmp_path / f"work-{width}.png")
            follow(page, page.get_by_role("link", name="Make a badge for Rosa"))
            seen(page, javascript, tmp_path / f"task-{width}.png")
            page.get_by_role("button", name="Take it").click()
            expect(page.get_by_text("You have this task now.")).to_be_visible()
            page.get_by_label("Check the papers").check()
            page.get_by_label("Print the badge").check()
            page.get_by_role("button", name="Record as done").click()
            expect(page.get_by_role("alert")).to_contain_text("“Hand it over” is not ticked")
            page.watch.complaints.clear()  # the browser's own word on status 422
            seen(page, javascript, tmp_path / f"error-{width}.png")
            page.get_by_label("Hand it over").check()
            page.get_by_label("Notes").fill("Card 1234.")
            page.get_by_label("Proof").set_input_files(proof)
            page.get_by_role("button", name="Record as done").click()
            expect(page.get_by_text("Recorded as done.")).to_be_visible()
            hands.work()
            page.goto("/work/1")
            seen(page, javascript, tmp_path / f"done-{width}.png")
            with page.expect_download() as download:
                page.get_by_role("link", name="Download screen.png").click()
            assert Path(download.value.path()).read_bytes() == PNG
        finally:
            context.close()
    assert hands.request(request_id).state is State.FULFILLED


def seen(page: Page, javascript: bool, picture: Path) -> None:
    """Look at the page where scripts run, and leave a picture of it with the test's own files."""
    if javascript:
        look(page)
        page.screenshot(path=picture, full_page=True)
