"""A whole running portal and a real browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import House, running_house
from tests.browser.story import Told, tell
from tests.browser.visitor import PHONE, WIDE, Visitors
from tests.look.preview import CHROMIUM_FLAGS


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The portal as `countersign up` starts it; once for all tests that ask."""
    with running_house(tmp_path_factory.mktemp("house") / "home") as house:
        yield house


@pytest.fixture(scope="session")
def visitors(house: House) -> Visitors:
    """Everybody who has signed in so far."""
    return Visitors(house)


@pytest.fixture(scope="session")
def told(house: House) -> Told:
    """What has happened in the portal: requests fulfilled, rejected and waiting."""
    return tell(house)


# A module's own, not the session's: while one of Playwright's runs, no other may begin in this thread.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, without pictures of a window."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(params=[WIDE, PHONE], ids=["1280", "390"])
def width(request: pytest.FixtureRequest) -> int:
    """A desk and a phone."""
    return int(request.param)
