"""What every page must be, whoever looks at it and however wide the window is."""

from __future__ import annotations

from typing import Any

import html5lib
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Page

_AXE = Axe()
_ATTEMPTS = 3

#: Read in one go: each round to the browser costs time.
_MEASURES = """async () => {
  await document.fonts.ready;
  const named = element => (element.labels && element.labels.length) || element.getAttribute("aria-label")
    || element.getAttribute("aria-labelledby") || element.closest("label");
  const skipped = new Set(["hidden", "submit", "button", "image", "reset"]);
  return {
    tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    headings: [...document.querySelectorAll("h1")].map(h => h.innerText.trim()),
    brokenImages: [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src),
    fonts: [...document.fonts].filter(f => f.status === "error").map(f => f.family),
    unlabelled: [...document.querySelectorAll("input, select, textarea")]
      .filter(e => !skipped.has(e.type) && !named(e)).map(e => e.outerHTML),
    nameless: [...document.querySelectorAll("a[href], button")]
      .filter(e => !e.hidden && !e.innerText.trim() && !e.textContent.trim() && !e.getAttribute("aria-label"))
      .map(e => e.outerHTML),
    twice: [...document.querySelectorAll("[id]")].map(e => e.id).filter((id, n, all) => all.indexOf(id) !== n),
  };
}"""


def _measures(page: Page) -> dict[str, Any]:
    """What the page is, once it stays: one that moves on by itself while it is measured is measured again."""
    for attempt in range(_ATTEMPTS):
        page.wait_for_load_state("load")
        try:
            measures: dict[str, Any] = page.evaluate(_MEASURES)
        except Error as error:
            if attempt + 1 == _ATTEMPTS or "context was destroyed" not in error.message:
                raise
        else:
            return measures
    raise AssertionError


class Watch:
    """Collects what a page complains about: console errors, refused resources, scripts that fail."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("requestfailed", lambda request: self._fail(request.url, request.failure or ""))
        page.on("response", lambda response: self._answered(response.url, response.status))

    def _hear(self, message: ConsoleMessage) -> None:
        # A page with an error status is reported by the browser as a failed resource; its own words are looked at.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _fail(self, url: str, why: str) -> None:
        if why != "net::ERR_ABORTED":  # a download, or a page left before it was read
            self.complaints.append(f"failed: {url} {why}")

    def _answered(self, url: str, status: int) -> None:
        if "/static/" in url and status >= 400:
            self.complaints.append(f"{status}: {url}")


def fits(page: Page) -> None:
    """Assert that nothing of the page stands out to the side, at the width that the window has now."""
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    where = f"{page.url} at {page.viewport_size and page.viewport_size['width']} px"
    assert too_wide <= 0, f"{where} scrolls sideways by {too_wide} px"


def look(page: Page, *, axe: bool = True) -> None:
    """Assert all that every page must be. Raises AssertionError that names the page and the fault."""
    where = f"{page.url} at {page.viewport_size and page.viewport_size['width']} px"
    measures = _measures(page)
    assert page.title().strip(), f"{where} has no title"
    assert len(measures["headings"]) == 1, f"{where} has the h1 {measures['headings']}"
    assert measures["headings"][0], f"{where} has an empty h1"
    assert measures["tooWide"] <= 0, f"{where} scrolls sideways by {measures['tooWide']} px"
    for what in ("brokenImages", "fonts", "unlabelled", "nameless", "twice"):
        assert measures[what] == [], f"{where}: {what}: {measures[what]}"
    html5lib.HTMLParser(strict=True).parse(page.content())
    watch: Watch = page.watch  # type: ignore[attr-defined]  # set by the visitor who opened the page
    assert watch.complaints == [], f"{where}: {watch.complaints}"
    if axe:
        found = violations(page)
        assert found == [], f"{where}: {found}"


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """By name, the rules of accessibility that the page breaks, each with the elements that do."""
    page.evaluate(_AXE.axe_script)
    # What holds is most of what axe would tell, and stays in the browser.
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(told => told.violations)")
    return [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found]
