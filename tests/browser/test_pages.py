"""Every page, at a desk and on a phone, is sound: accessible, in the frame, quiet in the console, well-formed."""

from __future__ import annotations

import pytest

from tests.browser.look import look
from tests.browser.scenes import SCENES, Stage

pytestmark = pytest.mark.xdist_group("browser")


@pytest.mark.parametrize("name", SCENES)
def test_a_page_is_sound(visitors, chromium, width, told, name):
    user_name, act = SCENES[name]
    with visitors.window(chromium, user_name, width=width) as page:
        act(Stage(page, visitors.house, told))
        look(page)
