"""Every macro, on pages as they will be, in a browser under the portal's policy."""

from __future__ import annotations

from collections.abc import Iterator

import html5lib
import pytest
from playwright.sync_api import Browser, Page

from portal.core.language import LANGUAGES, speaking
from tests.browser.look import violations
from tests.look.preview import served
from tests.look.stage import PAGES, rendered

#: What has a border, and something within that is wider.
STICKING_OUT = """[...document.querySelectorAll("main .cs-sheet, main .cs-plan__sign, main .cs-plan__text, main .cs-baton, main .cs-table td")]
  .filter(frame => frame.scrollWidth > frame.clientWidth)
  .map(frame => frame.innerText)"""
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as where:
        yield where


@pytest.fixture(scope="module", params=[WIDE, PHONE], ids=["1280", "390"])
def view(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = chromium.new_page(viewport=request.param)
    yield page
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_parses_as_html5(name: str) -> None:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(rendered(name))
    assert len(document.findall(".//h1")) == 1
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), "an id stands twice"
    for element in document.iter():
        assert "style" not in element.attrib
        assert not [attribute for attribute in element.attrib if attribute.startswith("on")]
        for target in (element.get("aria-describedby") or "").split():
            assert target in ids, f"aria-describedby points at {target}, which is not there"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_violation_and_fits_its_width(view: Page, address: str, name: str) -> None:
    complaints: list[str] = []
    view.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    view.goto(f"{address}/preview/{name}")
    view.evaluate("document.fonts.ready")
    assert violations(view) == []
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == [], "the policy or a script complained"


def test_our_own_typeface_is_what_is_drawn(chromium: Browser, address: str) -> None:
    page = chromium.new_page(viewport=WIDE)
    page.goto(f"{address}/preview/request")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family + ' ' + f.weight)"
    )
    assert {name.replace('"', "") for name in loaded} >= {
        "IBM Plex Sans 400",
        "IBM Plex Sans 600",
        "IBM Plex Mono 400",
    }
    page.close()


def test_the_menu_opens_on_a_phone_without_a_script(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/preview/lists")
    link = page.get_by_role("link", name="Operations")
    assert not link.is_visible()
    page.get_by_text("Menu", exact=True).click()
    assert link.is_visible()
    assert page.get_by_role("button", name="Sign out").is_visible()
    context.close()


def test_the_answers_of_a_decision_stay_in_sight_on_a_phone(chromium: Browser, address: str) -> None:
    page = chromium.new_page(viewport=PHONE)
    page.goto(f"{address}/preview/decision")
    for name in ("Approve", "Deny"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"], "below the fold before any scrolling"
        assert box["height"] >= 44
    page.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_sticks_out_of_its_frame(view: Page, address: str, name: str, language: str) -> None:
    with speaking(language):
        body = rendered(name).replace('<html lang="en"', f'<html lang="{language}"')
    view.route(f"**/preview/{name}", lambda route: route.fulfill(body=body, content_type="text/html"))
    view.goto(f"{address}/preview/{name}")
    view.evaluate("document.fonts.ready")
    assert view.evaluate(STICKING_OUT) == []
    view.unroute_all()


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(chromium: Browser, address: str) -> None:
    page = chromium.new_page(viewport=WIDE)
    page.goto(f"{address}/preview/form-errors")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.get_by_role("link", name="Enter a port between 1 and 65535.").click()
    assert page.evaluate("document.activeElement.id") == "port"
    page.close()


def test_a_text_area_counts_down(chromium: Browser, address: str) -> None:
    page = chromium.new_page(viewport=WIDE)
    page.goto(f"{address}/preview/form")
    page.get_by_label("Why is it needed?").fill("x" * 480)
    page.get_by_text("You have 20 characters remaining").first.wait_for()
    page.close()


def test_a_digest_can_be_copied_only_where_a_script_runs(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/preview/request")
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("sha256:9f86d081")
    context.close()
    still = chromium.new_context(viewport=WIDE, java_script_enabled=False)
    page = still.new_page()
    page.goto(f"{address}/preview/request")
    assert page.get_by_role("button", name="Copy").count() == 0
    still.close()


def test_a_live_part_asks_again_until_it_is_done(chromium: Browser, address: str) -> None:
    page = chromium.new_page(viewport=WIDE)
    page.goto(f"{address}/preview/live")
    assert page.get_by_text("Being fulfilled").is_visible()
    page.get_by_text("Fulfilled", exact=True).wait_for(timeout=5000)
    assert page.locator("#live").get_attribute("data-hx-get") is None
    page.close()
