"""Ordering as people do it: the / key, the promise, a favourite, an order from a file, and a unit's requests."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.journeys import REASON, fill_access, in_days, review
from tests.browser.look import look
from tests.browser.visitor import Visitors

pytestmark = pytest.mark.xdist_group("browser")

REQUESTER, HEAD = "beatriz.sousa", "jose.almeida"
COLUMNS = ("Who needs the access?", "Application and role", "What is it needed for?", "Until when?")
PROMISE = re.compile(r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d+ \w+(?: \d{4})?, \d\d:\d\d your time")


def file_of(*rows: tuple[str, ...]) -> dict[str, object]:
    text = "\n".join(";".join(row) for row in (COLUMNS, *rows))
    return {"name": "orders.csv", "mimeType": "text/csv", "buffer": text.encode()}


def role_of(page: Page) -> str:
    """A role that the target offers now, as a file would name it."""
    page.goto("/catalogue/application-access/request")
    options = page.get_by_label("Application and role").locator("option")
    return str(options.filter(has_text="CRM").first.get_attribute("value"))


def test_the_slash_key_finds_the_search_and_a_mistyped_word_finds_the_service(
    visitors: Visitors, chromium: Browser, width: int
) -> None:
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/catalogue")
        look(page)
        page.keyboard.press("/")
        expect(page.get_by_label("Search services")).to_be_focused()
        page.keyboard.type("fierwall")
        page.keyboard.press("Enter")
        first = page.get_by_role("main").get_by_role("heading", level=3).first
        expect(first).to_contain_text("Firewall")
        expect(page.get_by_text(PROMISE).first).to_be_visible()
        look(page)


def test_a_service_becomes_a_favourite_and_answers_are_kept(
    visitors: Visitors, chromium: Browser, width: int
) -> None:
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto("/catalogue/application-access/request?reason=From+a+link+in+the+handbook")
        expect(page.get_by_label("What is it needed for?")).to_have_value("From a link in the handbook")
        fill_access(page)
        review(page)
        expect(page.get_by_text(PROMISE).first).to_be_visible()
        page.get_by_text("Keep these answers for another time").click()
        page.get_by_label("Name of the favourite").fill(f"Sales at {width}")
        page.get_by_role("button", name="Keep as a favourite").click()
        expect(page.get_by_text("Your answers are kept among your favourites")).to_be_visible()
        look(page)
        page.goto("/catalogue")
        page.get_by_role("link", name=f"Application access: Sales at {width}").click()
        expect(page.get_by_label("What is it needed for?")).to_have_value(REASON)
        page.goto("/catalogue")
        look(page)
        page.get_by_role("button", name=f"Remove Application access: Sales at {width}").click()
        expect(page.get_by_role("link", name=f"Application access: Sales at {width}")).to_have_count(0)


def test_a_file_of_orders_is_mended_sent_and_followed_by_the_head_of_the_unit(
    visitors: Visitors, chromium: Browser, width: int
) -> None:
    with visitors.window(chromium, REQUESTER, width=width) as page:
        role = role_of(page)
        page.goto("/catalogue/application-access")
        page.get_by_role("link", name="Order many from a file").click()
        expect(page.get_by_role("button", name="Check the file")).to_be_visible()
        look(page)
        page.set_input_files("#file", file_of(("nobody.here", role, REASON, in_days(30))))
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The file cannot be sent yet")
        expect(page.get_by_text("Nobody is called")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Send another file").click()
        people = ("goncalo.pires", "tiago.ferreira")
        page.set_input_files(
            "#file", file_of(*((who, role, f"{REASON} ({width})", in_days(30 + width % 7)) for who in people))
        )
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("button", name="Submit 2 requests")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Submit 2 requests").click()
        page.wait_for_url(re.compile(r"/orders/\d+"))
        look(page)
        reference = page.get_by_role("link", name=re.compile(r"^SR-\d+$")).first.inner_text()
    with visitors.window(chromium, HEAD, width=width) as page:
        page.goto("/unit/requests")
        look(page)
        page.get_by_role("link", name=reference).click()
        expect(page.get_by_text("Gonçalo Pires").first).to_be_visible()
        look(page)
