"""Parts of a page that ask for themselves again: what they show stays when the portal does not answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect
from sqlalchemy import select

from portal.identity.model import Person, WebSession
from tests.browser.look import fits
from tests.browser.visitor import HEIGHTS, PATIENCE_MS, WIDE
from tests.fixtures_manual import Hands
from tests.look.preview import served

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.on_sqlite,
]

PAGE = "/requests/SR-000001"
ASKS = re.compile(r"/progress\?|/preview/live-done")
#: When the page is opened; where its reader is, an hour later.
OPENED = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
THEN = r"16:2\d"
DAY_MS = 86_400_000

Failure = Callable[[Route], None]


def _error_page(status: int) -> Failure:
    body = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Bad gateway</h1></body></html>"
    return lambda route: route.fulfill(status=status, content_type="text/html", body=body)


FAILURES: dict[str, Failure] = {
    **{str(status): _error_page(status) for status in (403, 404, 500, 503)},
    "none": lambda route: route.abort("connectionrefused"),
}


@pytest.fixture
def moving(hands: Hands, cast: Any) -> Iterator[str]:
    """The address of a portal whose first request was approved and waits for a worker."""
    request_id = hands.submitted(cast.requester)
    hands.work()
    hands.approve(request_id, cast.manager)
    with hands.served() as url:
        yield url


@contextmanager
def opened(browser: Browser, address: str, token: str = "", *, width: int = WIDE):
    """A page with a clock of its own, that is opened at OPENED."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]}, locale="en-GB", timezone_id="Europe/Berlin"
    )
    if token:
        context.add_cookies([{"name": "countersign", "value": token, "url": address}])
    page = context.new_page()
    page.clock.install(time=OPENED)
    page.goto(address + (PAGE if token else "/preview/live"))
    try:
        yield page
    finally:
        context.close()


def later(page: Page) -> None:
    """Until the page has asked once more, and was answered or not."""
    begun: list[Request] = []
    over: list[Request] = []

    def note(requests: list[Request]) -> Callable[[Request], None]:
        return lambda request: requests.append(request) if ASKS.search(request.url) else None

    listeners = {"request": note(begun), "requestfinished": note(over), "requestfailed": note(over)}
    for event, listener in listeners.items():
        page.on(event, listener)
    for _ in range(PATIENCE_MS // 20):
        # Not while it waits for an answer: a clock that runs so fast leaves nobody the time for one.
        if not begun:
            page.clock.run_for(1_000)
        page.wait_for_timeout(20)
        if over:
            break
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    assert over, "it was not asked again"


def later_said(page: Page, what: str) -> Locator:
    """Until the page says that it is not answered."""
    words = page.locator(f'[data-poll-says="{what}"]')
    for _ in range(5):
        later(page)
        page.wait_for_timeout(50)
        if words.is_visible():
            return words
    raise AssertionError(f"it does not say {what}")


def _assert_it_stays(page: Page, part: str, failure: Failure) -> None:
    """It stays while there are failures, and says so once they last."""
    before, title = page.locator(part).inner_text(), page.title()
    page.route(ASKS, failure)
    later(page)
    page.wait_for_timeout(50)
    assert page.locator(part).inner_text() == before, "it is nobody's concern yet"
    words = later_said(page, "failed")
    expect(words).to_have_text(re.compile(rf"^\s*Since {THEN} this cannot be brought up to date\."))
    assert page.locator(part).inner_text().replace(words.inner_text(), "").strip() == before.strip()
    assert page.title() == title
    fits(page)
    page.unroute(ASKS)


@pytest.mark.parametrize("failure", FAILURES)
def test_how_far_a_request_has_come_stays_while_nothing_newer_can_be_had(
    hands: Hands, cast, chromium: Browser, moving: str, failure: str
):
    with opened(chromium, moving, hands.token(cast.requester)) as page:
        _assert_it_stays(page, "#progress", FAILURES[failure])
        later(page)
        expect(page.locator('[data-poll-says="failed"]')).to_be_hidden()
        hands.work()
        later(page)
        expect(page.locator("#progress")).to_contain_text("Waiting for people")


@pytest.mark.parametrize("failure", ["503", "none"])
def test_a_part_of_a_page_that_is_asked_for_whole_stays_too(chromium: Browser, width: int, failure: str):
    with served() as address, opened(chromium, address, width=width) as page:
        _assert_it_stays(page, "#live", FAILURES[failure])
        later(page)
        expect(page.get_by_text("Fulfilled", exact=True)).to_be_visible()
        expect(page.locator("[data-poll-says]")).to_have_count(0)


def test_who_does_not_answer_is_asked_less_often(chromium: Browser):
    with served() as address, opened(chromium, address) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.route(ASKS, FAILURES["503"])
        for _ in range(120):
            page.clock.run_for(1_000)
            page.wait_for_timeout(10)
        assert 4 <= len(asked) <= 12


def test_since_when_is_told_with_the_day_once_it_is_another(chromium: Browser):
    with served() as address, opened(chromium, address) as page:
        page.route(ASKS, FAILURES["503"])
        page.clock.fast_forward(DAY_MS)
        later_said(page, "failed")
        expect(page.locator("[data-poll-since]")).to_have_text(re.compile(rf"^4 March\D+{THEN}$"))


def test_since_when_is_told_in_german(hands: Hands, cast, chromium: Browser, moving: str):
    with hands.portal.db.transaction() as session:
        session.get_one(Person, cast.requester).language = "de"
    with opened(chromium, moving, hands.token(cast.requester)) as page:
        assert page.locator("html").get_attribute("lang") == "de"
        page.route(ASKS, FAILURES["503"])
        page.clock.fast_forward(DAY_MS)
        later_said(page, "failed")
        expect(page.locator("[data-poll-since]")).to_have_text(re.compile(rf"^4\. März\D+{THEN}$"))


def test_a_session_that_ended_leads_to_sign_in_and_back_to_the_page(
    hands: Hands, cast, chromium: Browser, moving: str
):
    with opened(chromium, moving, hands.token(cast.requester)) as page:
        before = page.locator("#progress").inner_text()
        with hands.portal.db.transaction() as session:
            for row in session.scalars(select(WebSession)):
                row.expires_at = row.created_at - timedelta(seconds=1)
        words = later_said(page, "signed-out")
        expect(words).to_contain_text("Your session has ended")
        assert (
            page.locator("#progress").inner_text().replace(words.inner_text(), "").strip() == before.strip()
        )
        # Whoever signs in again in another window reads on here.
        ended = page.context.cookies()
        cookie = {"name": "countersign", "value": hands.token(cast.requester), "url": moving}
        page.context.add_cookies([cookie])
        later(page)
        expect(words).to_be_hidden()
        page.context.clear_cookies()
        page.context.add_cookies(ended)
        words = later_said(page, "signed-out")
        with page.expect_request(re.compile("/sign-in")) as sign_in:
            words.get_by_role("link", name="Sign in again").click()
        assert sign_in.value.url == f"{moving}/sign-in?next={PAGE}"
