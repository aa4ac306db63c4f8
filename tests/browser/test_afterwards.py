"""What follows a fulfilled request: giving back, evidence, the ledger, and what operators see."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from reports.evidence.verify import verify_file
from tests.browser.journeys import COMPLIANCE, OPERATOR, REQUESTER, follow, wait_for_state
from tests.browser.look import look
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.xdist_group("browser")


def test_what_is_no_longer_needed_is_given_back(visitors, chromium, width, told):
    reference = told.fulfilled["rule" if width == PHONE else "access"]
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/entitlements")
        mine = page.get_by_role("row").filter(has_text=reference)
        follow(page, mine.get_by_role("link").first)
        page.get_by_role("button", name="Give back").click()
        expect(page.get_by_role("status")).to_be_visible()
        look(page)
        wait_for_state(page, reference, "Ended")
        page.goto("/entitlements?show=ended")
        expect(page.get_by_role("row").filter(has_text=reference)).to_be_visible()
        look(page)


def test_the_compliance_officer_downloads_evidence_that_verifies(visitors, chromium, width, told, tmp_path):
    reference = told.fulfilled["certificate"]
    with visitors.window(chromium, COMPLIANCE, width=width) as page:
        page.goto("/evidence")
        row = page.get_by_role("row").filter(has_text=reference)
        with page.expect_download() as download:
            row.get_by_role("link", name="Signed PDF").click()
        file = Path(tmp_path / "evidence.pdf")
        download.value.save_as(file)
        # In a thread of its own: the signature's check runs an event loop, and so does the browser here.
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(verify_file, file).result().holds
        page.get_by_label("Reference").fill(told.rejected)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("row").filter(has_text=told.rejected)).to_be_visible()
        expect(page.get_by_role("row").filter(has_text=reference)).to_have_count(0)


def test_the_ledger_tells_the_whole_story_of_one_request(visitors, chromium, width, told):
    with visitors.window(chromium, COMPLIANCE, width=width) as page:
        page.goto("/ledger")
        page.get_by_label("Request or subject").fill(told.rejected)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", level=2).filter(has_text="Denied")).to_be_visible()
        expect(page.get_by_role("heading", level=2).filter(has_text="Submitted")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Denied").click()
        expect(page.get_by_text("Leaf hash").first).to_be_visible()
        look(page)


def test_an_operator_sees_what_the_worker_has_to_do(visitors, chromium, width, told):
    with visitors.window(chromium, OPERATOR, width=width) as page:
        page.goto("/operations")
        expect(page.get_by_role("heading", name="Failed requests")).to_be_visible()
        expect(page.get_by_text(re.compile("0 set aside"))).to_be_visible()
        page.goto("/evidence")
        expect(page.get_by_role("heading", level=1)).to_have_text("You cannot see this page")
