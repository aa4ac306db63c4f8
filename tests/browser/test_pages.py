"""Every page, at a desk and on a phone, is sound: accessible, in the frame, quiet in the console, well-formed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.look import look
from tests.browser.scenes import SCENES, Stage
from tests.browser.visitor import HEIGHTS, Visitors

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def standing(chromium: Browser) -> Iterator[dict[str, tuple[Page, ExitStack]]]:
    """By name, the window that each person looked through last."""
    windows: dict[str, tuple[Page, ExitStack]] = {}
    yield windows
    for _, opened in windows.values():
        opened.close()


@pytest.fixture
def window(
    visitors: Visitors, chromium: Browser, width: int, standing: dict[str, tuple[Page, ExitStack]]
) -> Callable[[str], AbstractContextManager[Page]]:
    """Gives a person the window that they had before, since opening one takes longer than a page.

    A stranger may become somebody while they look, so each gets a new one.
    """

    @contextmanager
    def same(user_name: str) -> Iterator[Page]:
        if not user_name:
            with visitors.window(chromium, width=width) as page:
                yield page
            return
        page, opened = standing.pop(user_name, (None, ExitStack()))
        if page is None or not visitors.is_fresh(user_name):
            opened.close()
            page = opened.enter_context(visitors.window(chromium, user_name, width=width))
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        try:
            yield page
        except BaseException:
            opened.close()
            raise
        standing[user_name] = page, opened

    return same


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_sound(visitors, window, told, name):
    user_name, act = SCENES[name]
    with window(user_name) as page:
        act(Stage(page, visitors.house, told))
        look(page)
