"""The menu fits in a row: who has more pages than that finds those of compliance behind one link, with a row of their own."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from portal.app import create_app
from portal.core.database import Database
from portal.core.settings import Settings
from portal.wiring import build
from tests.catalog.requests.conftest import Web
from tests.fixtures_people import Cast, StandingClock

pytestmark = pytest.mark.on_sqlite
OWN = ["/evidence", "/audits", "/ledger", "/access-reviews", "/reconciliation", "/explain", "/erasures"]


class Navigation(HTMLParser):
    """Each nav's label with its links: address and aria-current."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str]]]] = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "nav" and "cs-nav" in given.get("class", ""):
            self.found.append((given["aria-label"], []))
            self.open = True
        elif tag == "a" and self.open:
            self.found[-1][1].append((given["href"], given.get("aria-current", "")))

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and tag != "nav"


@pytest.fixture
def web(settings: Settings, db: Database, cast: Cast, clock: StandingClock) -> Web:
    portal = build(settings, clock=clock)
    return Web(portal, create_app(portal=portal))


def test_compliance_finds_its_pages_behind_one_link_and_beside_each_other(web: Web, cast: Cast) -> None:
    browser = web.browser(cast.compliance)
    phone, row, group = Navigation(browser.get("/ledger")).found
    assert [phone[0], row[0], group[0]] == ["Main", "Main", "Compliance"]
    assert group[1] == [(address, "page" if address == "/ledger" else "") for address in OWN]
    assert ("/evidence", "true") in row[1] and not {address for address, _ in row[1]} & set(OWN[1:])
    assert [address for address, _ in phone[1] if address in OWN] == OWN, "a phone shows all of them"
    phone, row = Navigation(browser.get("/requests")).found
    assert ("/evidence", "") in row[1] and ("/requests", "page") in row[1]


def test_who_has_fewer_pages_finds_each_of_them_in_the_row(web: Web, cast: Cast) -> None:
    for person, path in ((cast.auditor, "/ledger"), (cast.operator, "/reconciliation"), (cast.requester, "/requests")):  # fmt: skip
        phone, row = Navigation(web.browser(person).get(path)).found
        assert row == phone and (path, "page") in row[1]
