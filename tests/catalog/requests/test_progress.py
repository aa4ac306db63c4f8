"""Progress on a request's page: step by step while it runs, at little cost, and quiet when nothing has changed."""

from __future__ import annotations

import re

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.jobs import handlers
from tests.catalog.requests.test_show import PAGE, approve

pytestmark = pytest.mark.on_sqlite

PROGRESS = f"{PAGE}/progress"


def asked_next(page: str) -> str:
    """Where the part that is shown asks again; empty when it does not."""
    found = re.search(r'data-hx-get="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


@pytest.fixture
def on_its_way(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester), second="world")
    approve(web.portal, actor_of(cast.manager), request_id)
    return request_id


def test_each_step_is_told_as_it_goes(web, cast, shelves, on_its_way):
    browser = web.browser(cast.requester)
    told: list[str] = []

    def look(boundary: str) -> None:
        if boundary in {"step 1: written down", "step 2: begun", "step 2: applied"}:
            told.append(browser.get(PROGRESS))

    page = browser.get(PAGE)
    assert 'aria-live="polite"' in page
    assert page.count("Not yet") == 2, "both steps, each once"
    shelves.work(**handlers(shelves.connectors, look))

    first, second, third = told
    assert ("Under way" in first, "Not yet" in first) == (True, True)
    assert ("Done and read back" in second, "Not yet" in second) == (True, True)
    assert "Done, being read back" in third
    assert "Done. It is there: The shelf." in third
    last = browser.get(PROGRESS)
    assert asked_next(last) == ""
    assert "Show the request as it is now" in last
    assert asked_next(browser.get(PAGE)) == ""


def test_it_costs_four_statements_and_says_nothing_while_nothing_changes(web, cast, on_its_way):
    browser = web.browser(cast.requester)
    again = asked_next(browser.get(PAGE))
    assert again.startswith(PROGRESS)
    statements = web.counting(lambda: browser.get(again, status=204))
    assert len(statements) <= 4, statements
    assert browser.last.data == b""
    assert len(web.counting(lambda: browser.get(PROGRESS))) <= 4


def test_it_is_told_to_whoever_may_see_the_request_and_to_nobody_else(web, cast, on_its_way):
    web.browser(cast.manager).get(PROGRESS)
    web.browser(cast.operator).get(PROGRESS)
    web.browser(cast.owner).get(PROGRESS, status=404)


def test_what_could_not_be_undone_is_said_to_the_requester(web, cast, shelves, on_its_way):
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    shelves.shelf.trouble["revert"] = ConnectorError("The shelf is locked.", permanent=True)
    shelves.work()
    page = web.browser(cast.requester).get(PAGE)
    assert "It is still there, and an operator must take it back: The shelf." in page
    assert "Not done. Nothing of it is there: The rack." in page
    assert "What is where, and what can be done" not in page
    assert "What is where, and what can be done" in web.browser(cast.operator).get(PAGE)
