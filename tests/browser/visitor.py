"""A person with a browser: signed in once, in as many windows as a test wants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect
from requests import Response

from portal.demo.visitor import Visitor, form_to
from portal.identity.development_sso.config import DEMO_PASSWORD
from tests.browser.house import House
from tests.browser.look import Watch

WIDE, PHONE = 1280, 390
HEIGHTS = {WIDE: 900, PHONE: 844}
PATIENCE_MS = 60_000
#: Who signed in longer ago does so again: what is risky asks for it, and a suite takes longer than it allows.
FRESH_SECONDS = 120
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Visitors:
    """Who is signed in already; the browser may be a new one, their sessions are not."""

    house: House
    states: dict[str, Any] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def window(
        self,
        browser: Browser,
        user_name: str = "",
        *,
        width: int = WIDE,
        javascript: bool = True,
        fresh: bool = False,
    ) -> Iterator[Page]:
        """A window of this person's own, signed in when a name is given; closed after the block."""
        if user_name and not fresh and not self.is_fresh(user_name):
            self._sign_in_once(user_name)
        context = self.context(browser, user_name if not fresh else "", width=width, javascript=javascript)
        try:
            yield new_page(context)
        finally:
            context.close()

    def is_fresh(self, user_name: str) -> bool:
        """Whether they signed in so lately that nothing asks for it again."""
        return time.monotonic() - self.since.get(user_name, -inf) <= FRESH_SECONDS

    def context(
        self, browser: Browser, user_name: str = "", *, width: int = WIDE, javascript: bool = True
    ) -> BrowserContext:
        """A browser of its own with this person's cookies; the caller closes it."""
        context = browser.new_context(
            base_url=self.house.portal,
            viewport={"width": width, "height": HEIGHTS[width]},
            java_script_enabled=javascript,
            storage_state=self.states.get(user_name) if user_name else None,
            accept_downloads=True,
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    def _sign_in_once(self, user_name: str) -> None:
        """Over HTTP, which takes a tenth of the time; other tests sign in through the pages."""
        who = Visitor(self.house.portal, user_name)
        speak_english(who, who.open("/sign-in"))
        self.states[user_name] = {
            "cookies": [
                {
                    "name": cookie.name,
                    "value": cookie.value,
                    "domain": cookie.domain.removesuffix(".local"),  # which the library adds to `localhost`
                    "path": cookie.path,
                    "expires": cookie.expires or -1,
                    "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
                    "secure": cookie.secure,
                    "sameSite": "Lax",
                }
                for cookie in who.http.cookies
            ]
        }
        self.since[user_name] = time.monotonic()


def new_page(context: BrowserContext) -> Page:
    """A page that is watched from its first byte."""
    page = context.new_page()
    page.watch = Watch(page)  # type: ignore[attr-defined]
    return page


def sign_in(page: Page, user_name: str) -> None:
    """Answer the sign-in pages as this person, from wherever they begin."""
    page.locator(f'button[name="person"][value="{user_name}"]').click()
    confirm_password(page)


def speak_english(who: Visitor, page: Response) -> None:
    """People from Berlin read German until they choose otherwise; these tests know the pages by their English words."""
    if page.headers["Content-Language"] != "en":
        who.send(page, form_to(page, "/language/en"))


def confirm_password(page: Page) -> None:
    """The password page alone, as after a demand to sign in again."""
    expect(page.get_by_label("Password")).to_be_visible()
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
