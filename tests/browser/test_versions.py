"""Catalogue owners write a version, mend its problems, see what it changes and what past requests would meet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.core.assets import services_folder
from tests.browser.journeys import follow
from tests.browser.look import look

pytestmark = pytest.mark.xdist_group("browser")

AUTHOR, PUBLISHER = "nadia.haddad", "oskar.brandt"
TEXT = (services_folder() / "application-access.yaml").read_text(encoding="utf-8")


def looked_at(page: Page, name: str) -> None:
    look(page)
    folder = os.environ.get("PICTURES")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=str(Path(folder) / f"versions-{name}-{width}.png"), full_page=True)


def stricter(text: str) -> str:
    for old, new in (
        ("longest_days: 365", "longest_days: 30"),
        ("levels: {medium: 20, high: 50, critical: 80}", "levels: {medium: 10, high: 50, critical: 80}"),
        ("label: Until when?", "label: Until which day?"),
        ("    Until when?:", "    Until which day?:"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_version_is_written_mended_replayed_and_offered_to_a_second_person(
    visitors, chromium, teller, width
):
    teller.order("access", "CRM – Sales user")  # noqa: RUF001
    with visitors.window(chromium, AUTHOR, width=width) as page:
        page.goto("/offerings")
        looked_at(page, "index")
        follow(page, page.get_by_role("main").get_by_role("link", name="Application access", exact=True))
        looked_at(page, "show")
        follow(page, page.get_by_role("link", name="Version 1"))
        looked_at(page, "version")
        page.go_back()
        follow(page, page.get_by_role("link", name="Write a new version"))
        box = page.get_by_label("Text of the offering")
        expect(box).to_have_value(TEXT)
        looked_at(page, "new")
        broken = stricter(TEXT).replace("owner: catalogue-owners", "onwer: catalogue-owners", 1)
        box.fill(broken)
        follow(page, page.get_by_role("button", name="Save the draft"))
        expect(page.get_by_text("did you mean 'owner'?")).to_be_visible()
        expect(page.get_by_label("Text of the offering")).to_have_value(broken)
        looked_at(page, "draft-with-problems")
        page.get_by_label("Text of the offering").fill(stricter(TEXT))
        follow(page, page.get_by_role("button", name="Save and check"))
        expect(page.get_by_role("status")).to_contain_text("has no problems")
        looked_at(page, "draft")
        follow(page, page.get_by_role("link", name="Review and publish"))
        expect(page.get_by_text("You wrote this draft")).to_be_visible()
        looked_at(page, "review-of-the-author")
        address = page.url
    with visitors.window(chromium, PUBLISHER, width=width) as page:
        page.goto(address)
        expect(page.get_by_text("The longest duration in days changes from “365” to “30”.")).to_be_visible()
        follow(page, page.get_by_role("button", name="Replay past requests"))
        expect(page.get_by_role("heading", name="What could not be worked out again")).to_be_visible()
        expect(page.get_by_text("held against version 1")).to_be_visible()
        expect(page.get_by_role("button", name="Publish this version")).to_be_visible()
        page.get_by_text("The lines that differ").click()
        looked_at(page, "review-of-the-publisher")
        page.goto("/offerings/application-access/difference")
        looked_at(page, "difference")
    with visitors.window(chromium, AUTHOR, width=width) as page:
        page.goto(address.removesuffix("#replay").removesuffix("/review"))
        page.get_by_text("Discard this draft").click()
        page.get_by_role("button", name="Discard the draft").click()
        expect(page.get_by_role("status")).to_contain_text("The draft is discarded")
