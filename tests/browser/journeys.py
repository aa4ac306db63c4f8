"""What people do in the portal, by what they see: labels, buttons and links, never addresses or ids."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FrameLocator, Locator, Page, expect

from portal.demo import orders
from tests.browser.house import House

REQUESTER, MANAGER, OWNER, SECURITY = "beatriz.sousa", "ines.carvalho", "goncalo.pires", "chidi.okafor"
ADMINISTRATOR = "sven.hakansson"
COMPLIANCE, OPERATOR, OUTSIDER = "aicha.benali", "lukasz.wisniewski", "siobhan.oneill"
REASON = "Takes over the Iberian key accounts and keeps their orders up to date."
DECISION_MAIL = re.compile("decision", re.IGNORECASE)
#: A test that is tried again may find its first request for the same still open.
SUBMIT = re.compile("^Submit (the|a second) request$")
FULFIL_MS = 45_000
#: The first of a request's page is its own.
_STATE_TAG = re.compile(r'data-state="\w+"><strong[^>]*>(?:<svg.*?</svg>)?([^<]*)</strong>', re.DOTALL)


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def follow(page: Page, leads: Locator) -> None:
    """Click what leads to another page, and wait until that one is there.

    A click alone waits for a page only if the browser has already said that one comes, which a busy one says late;
    whatever is then read may still be the old page, or is cut off while the new one begins.
    """
    with page.expect_navigation():
        leads.click()


def find_service(page: Page, words: str, name: str) -> None:
    """From the catalogue's search to the service's form."""
    page.goto("/")
    page.get_by_label("Search services").fill(words)
    follow(page, page.get_by_role("button", name="Search"))
    follow(page, page.get_by_role("main").get_by_role("link", name=name, exact=True))
    follow(page, page.get_by_role("link", name="Start", exact=True))


def choose_service(page: Page, category: str, name: str) -> None:
    """From the whole catalogue to the service's form.

    What the unit uses most, and what the person starred, stand above the categories as well: nobody knows whether.
    """
    page.goto("/catalogue")
    shelf = page.get_by_role("region", name=category, exact=True)
    follow(page, shelf.get_by_role("link", name=name, exact=True))
    follow(page, page.get_by_role("link", name="Start", exact=True))


def fill_access(page: Page, *, role: str = "CRM – Sales user", who: str = "", reason: str = REASON) -> None:  # noqa: RUF001
    if who:
        page.get_by_label("Who needs the access?").fill(who)
    page.get_by_label("Application and role").select_option(label=role)
    page.get_by_label("What is it needed for?").fill(reason)
    page.get_by_label("Until when?").fill(in_days(60))


def fill_certificate(page: Page, *, days: int = 150) -> None:
    answers = orders.certificate().answers
    page.get_by_label("Certificate signing request").fill(answers["csr"])
    page.get_by_label("Valid for how many days?").fill(str(days))
    page.get_by_label("What is the server for?").fill(answers["reason"])


def fill_rule(page: Page) -> None:
    page.get_by_label("Source zone").select_option("office")
    page.get_by_label("Source addresses").fill(f"10.1.{secrets.randbelow(200)}.16/28")
    page.get_by_label("Destination zone").select_option("database")
    page.get_by_label("Destination addresses").fill(
        f"10.10.{2 + secrets.randbelow(200)}.{10 + secrets.randbelow(200)}"
    )
    page.get_by_label("TCP").check()
    page.get_by_label("Destination ports").fill("5432")
    page.get_by_label("What is it needed for?").fill(
        "The order portal reads customer orders every five minutes."
    )
    page.get_by_label("Rollback plan").fill(
        "On-call watches the order queue for an hour and withdraws the rule."
    )
    page.get_by_label("Until when?").fill(in_days(60))


def review(page: Page) -> None:
    page.get_by_role("button", name="Continue to review").click()
    expect(page.get_by_role("button", name=SUBMIT)).to_be_visible()


def submit(page: Page) -> str:
    """From the review to the request's page; gives its reference."""
    page.get_by_role("button", name=SUBMIT).click()
    page.wait_for_url(re.compile(r"/requests/SR-\d+"))
    return page.url.rpartition("/")[2]


def wait_for_state(page: Page, reference: str, words: str) -> None:
    """Until the request's own page says so; the page is drawn once it does."""
    address = f"/requests/{reference}"
    deadline = datetime.now(UTC) + timedelta(milliseconds=FULFIL_MS)
    while (found := _STATE_TAG.search(page.request.get(address).text())) is None or found[1] != words:
        assert datetime.now(UTC) < deadline, f"{reference} is {found and found[1]!r} and not {words!r}"
        page.wait_for_timeout(250)
    page.goto(address)
    expect(page.locator("main .cs-page-head [data-state]")).to_have_text(words)


def open_mail(
    page: Page, house: House, user_name: str, reference: str, subject: re.Pattern[str] | str = ""
) -> FrameLocator:
    """Find this person's mail about the request in the development mailbox, and open it."""
    address = f"{house.mailbox}/?to={user_name}%40meridian.example"
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    mail = page.get_by_role("link").filter(has_text=reference)
    if subject:
        mail = mail.filter(has_text=subject)
    while True:
        if reference in page.request.get(address).text():
            page.goto(address)
            if mail.count():
                break
        assert datetime.now(UTC) < deadline, f"{user_name} got no mail about {reference}"
        page.wait_for_timeout(250)
    mail.first.click()
    page.locator("iframe").wait_for()  # the list has none: without this, what follows may still see the list
    return page.frame_locator("iframe")
