"""A whole running portal and a real browser in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import House, running_house
from tests.browser.story import Teller, Told, tell
from tests.browser.visitor import PHONE, WIDE, Visitors
from tests.look.preview import CHROMIUM, CHROMIUM_FLAGS


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The portal as `countersign up` starts it; once for all tests that ask."""
    with running_house(tmp_path_factory.mktemp("house") / "home") as house:
        yield house


@pytest.fixture(scope="session")
def visitors(house: House) -> Visitors:
    """Everybody who has signed in so far."""
    return Visitors(house)


@pytest.fixture(scope="module")
def teller(house: House) -> Teller:
    """Everybody who acts over HTTP: what a test only begins with is quicker told than done in a window."""
    return Teller(house)


@pytest.fixture(scope="session")
def told(house: House) -> Told:
    """What has happened in the portal: requests fulfilled, rejected and waiting."""
    return tell(house)


@pytest.fixture(scope="session")
def standing_chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """The one browser of this process, and the event loop in which Playwright speaks to it."""
    with sync_playwright() as play:
        loop = asyncio.get_running_loop()
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture(scope="module")
def chromium(standing_chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """Chromium, without pictures of a window.

    Between two calls of Playwright's its loop counts as running, so that tests of other modules could run none.
    """
    browser, loop = standing_chromium
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture(params=[WIDE, PHONE], ids=["1280", "390"])
def width(request: pytest.FixtureRequest) -> int:
    """A desk and a phone."""
    return int(request.param)
