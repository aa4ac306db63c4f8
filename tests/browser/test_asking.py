"""A requester finds a service, mends the form, looks everything over, submits and follows the request."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.journeys import (
    REASON,
    REQUESTER,
    fill_access,
    fill_certificate,
    fill_rule,
    find_service,
    follow,
    in_days,
    review,
    submit,
    wait_for_state,
)
from tests.browser.look import look
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.xdist_group("browser")

SERVICES = {
    "Application access": ("crm", fill_access, "Application and role"),
    "TLS server certificate": ("https", fill_certificate, "Certificate signing request (CSR)"),
    "Firewall rule": ("blocked port", fill_rule, "Source zone"),
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_found_asked_for_and_followed(visitors, chromium, width, name):
    words, fill, first = SERVICES[name]
    with visitors.window(chromium, REQUESTER, width=width) as page:
        find_service(page, words, name)
        look(page)
        _sent_empty(page, first)
        if name == "Application access" and width == PHONE:
            fill_access(page, role="Data warehouse – Analyst")  # noqa: RUF001  (another role, for one is enough)
        else:
            fill(page)
        review(page)
        look(page)
        expect(page.get_by_role("heading", name="What would change")).to_be_visible()
        expect(page.get_by_text("Inês Carvalho").first).to_be_visible()
        reference = submit(page)
        expect(page.get_by_role("status")).to_contain_text(f"{reference} is submitted")
        wait_for_state(page, reference, "Awaiting approval")
        look(page)
        baton = page.locator(".cs-baton")
        expect(baton).to_contain_text("Inês Carvalho")
        expect(baton).to_contain_text("Due by")
        page.goto("/requests")
        expect(page.get_by_role("row").filter(has_text=reference)).to_contain_text(
            "Waiting for Inês Carvalho"
        )


def _sent_empty(page: Page, first: str) -> None:
    """The summary takes the focus, and its first line leads to the first field that is wrong."""
    page.get_by_role("button", name="Continue to review").click()
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("Error: ")
    look(page)
    summary.get_by_role("link").first.click()
    expect(page.get_by_label(first, exact=True)).to_be_focused()


def test_nothing_typed_is_lost_when_one_answer_is_wrong(visitors, chromium, width):
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/catalogue/firewall-rule/request")
        fill_rule(page)
        typed = {
            label: page.get_by_label(label).input_value() for label in ("Source addresses", "Rollback plan")
        }
        page.get_by_label("UDP").check()
        page.get_by_label("Destination addresses").fill("10.300.0.1")
        page.get_by_label("Until when?").fill(in_days(-1))
        page.get_by_role("button", name="Continue to review").click()
        expect(page.locator(".govuk-error-summary li")).to_have_count(2)
        for label, text in typed.items():
            expect(page.get_by_label(label)).to_have_value(text)
        expect(page.get_by_label("UDP")).to_be_checked()
        expect(page.get_by_label("Destination addresses")).to_have_value("10.300.0.1")
        expect(page.get_by_label("Until when?")).to_have_value(in_days(-1))
        page.locator(".govuk-error-summary").get_by_role("link").last.click()
        expect(page.get_by_label("Until when?")).to_be_focused()
        look(page)
        page.get_by_label("Until when?").fill(in_days(30))
        page.get_by_label("Destination addresses").fill("0.0.0.0/0")
        page.get_by_role("button", name="Continue to review").click()
        expect(page.locator(".govuk-error-summary")).to_contain_text("0.0.0.0/0")
        expect(page.get_by_label("Rollback plan")).to_have_value(typed["Rollback plan"])


def test_a_csr_may_be_uploaded_and_a_bad_one_is_refused_at_its_field(visitors, chromium, width, tmp_path):
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/catalogue/tls-certificate/request")
        fill_certificate(page)
        good = page.get_by_label("Certificate signing request").input_value()
        page.get_by_label("Certificate signing request").fill(good.replace("M", "N", 3))
        page.get_by_role("button", name="Continue to review").click()
        expect(page.locator("#csr-error")).to_be_visible()
        file = tmp_path / "server.csr"
        file.write_text(good)
        page.get_by_label("Certificate signing request").fill("")
        page.get_by_label("Or upload the file").set_input_files(file)
        review(page)
        page.get_by_text("Show all of it").click()
        expect(page.get_by_text("BEGIN CERTIFICATE REQUEST")).to_be_visible()
        expect(page.get_by_text("Names: orders-").first).to_be_visible()


def test_what_is_typed_is_kept_before_it_is_sent_and_found_again(visitors, chromium):
    with visitors.window(chromium, "tiago.ferreira") as page:
        page.goto("/catalogue/application-access/request")
        page.get_by_label("What is it needed for?").fill(REASON)
        page.get_by_label("Until when?").focus()
        expect(page.locator("#draft-kept")).to_contain_text("Kept")
        look(page)
        page.goto("/requests")
        look(page)
        page.get_by_role("link", name=re.compile("Application access")).first.click()
        expect(page.get_by_label("What is it needed for?")).to_have_value(REASON)


def test_a_request_can_be_changed_and_withdrawn(visitors, chromium, width):
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/catalogue/application-access/request")
        fill_access(page, role="ERP – Accounts payable clerk")  # noqa: RUF001
        review(page)
        reference = submit(page)
        wait_for_state(page, reference, "Awaiting approval")
        follow(page, page.get_by_role("link", name="Change the answers"))
        look(page)
        page.get_by_label("What is it needed for?").fill(
            "A shorter task: the year-end review of key accounts."
        )
        follow(page, page.get_by_role("button", name="Change the request"))
        wait_for_state(page, reference, "Awaiting approval")
        expect(page.get_by_text("year-end review").first).to_be_visible()
        page.get_by_text("Withdraw this request").click()
        page.get_by_label("Why").fill("No longer needed.")
        page.get_by_role("button", name="Withdraw the request").click()
        expect(page.get_by_role("status")).to_contain_text(f"{reference} is withdrawn")
        expect(page.locator("main [data-state]").first).to_have_text("Withdrawn")
        expect(page.get_by_text("No longer needed.").first).to_be_visible()
        look(page)
