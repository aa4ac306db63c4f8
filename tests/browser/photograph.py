"""Photograph every page at a desk and on a phone: python -m tests.browser.photograph FOLDER [NAME…]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.house import running_house
from tests.browser.scenes import SCENES, Stage
from tests.browser.story import tell
from tests.browser.visitor import PHONE, WIDE, Visitors
from tests.look.preview import CHROMIUM, CHROMIUM_FLAGS


def photograph(folder: Path, names: list[str]) -> None:
    """One whole page a picture; on a phone also what the first screen shows, as `NAME-first.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as parent,
        running_house(Path(parent) / "home") as house,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        visitors, told = Visitors(house), tell(house)
        for name in names:
            user_name, act = SCENES[name]
            for width in (WIDE, PHONE):
                with visitors.window(browser, user_name, width=width) as page:
                    act(Stage(page, house, told))
                    page.evaluate("document.fonts.ready")
                    page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
                    if width == PHONE:
                        page.screenshot(path=folder / f"{name}-first.png")
        browser.close()


if __name__ == "__main__":
    photograph(Path(sys.argv[1]), sys.argv[2:] or list(SCENES))
