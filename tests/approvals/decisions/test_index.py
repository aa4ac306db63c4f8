"""The inbox: what waits for a person, the oldest promise first, and what they decided lately."""

from __future__ import annotations

from urllib.parse import urlencode

import html5lib
import pytest
from sqlalchemy import event

from approvals.decisions.queries import MOST_COUNTED, PAGE, count_awaiting, decided_by, requests_awaiting
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.web.menu import few
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Web

pytestmark = pytest.mark.on_sqlite


def references(web: Web, person: int, path: str = "/approvals") -> list[str]:
    page = web.browser(person).get(path).get_data(as_text=True)
    document = html5lib.parse(page, namespaceHTMLElements=False)
    table = next(
        (
            table
            for table in document.iter("table")
            if "Waiting" in "".join(next(table.iter("caption")).itertext())
        ),
        None,
    )
    return [] if table is None else [link.text or "" for link in table.iter("a")]


def test_an_empty_inbox_says_so(web: Web) -> None:
    page = web.browser(web.story.cast.manager).get("/approvals").get_data(as_text=True)
    assert "Nothing waits for you" in page


def test_the_oldest_promise_stands_first(web: Web) -> None:
    slow = web.story.offer({**MANAGER_STAGE, "target": "5d"})
    quick = web.story.offer({**MANAGER_STAGE, "target": "1h"})
    for version in (slow, quick, slow):
        web.story.plan(web.story.request(version))
    assert references(web, web.story.cast.manager) == ["SR-000002", "SR-000001", "SR-000003"]


def test_a_line_says_what_who_risk_and_when(web: Web) -> None:
    web.story.planned(
        MANAGER_STAGE, beneficiary=web.story.cast.requester, requester=web.story.cast.outsider,
        risk={"level": "medium", "score": 20, "reasons": []},
    )  # fmt: skip
    page = web.browser(web.story.cast.manager).get("/approvals").get_data(as_text=True)
    for expected in (
        "CRM: sales",
        "Application access",
        "Ola Outsider for Rosa Requester",
        "Medium risk",
        "19 Nov 2026, 10:00 CET",
    ):
        assert expected in page


def test_a_late_one_is_marked(web: Web) -> None:
    web.story.planned({**MANAGER_STAGE, "target": "1h"})
    browser = web.browser(web.story.cast.manager)
    assert "Late" not in browser.get("/approvals").get_data(as_text=True)
    web.clock.pass_time(minutes=59)
    assert "Late" not in web.browser(web.story.cast.manager).get("/approvals").get_data(as_text=True)
    web.clock.pass_time(minutes=2)
    assert "Late" in web.browser(web.story.cast.manager).get("/approvals").get_data(as_text=True)


def test_only_open_stages_of_that_person_are_listed(web: Web) -> None:
    web.story.planned(MANAGER_STAGE, OWNER_STAGE)
    assert references(web, web.story.cast.manager) == ["SR-000001"]
    for person in ("owner", "outsider", "requester", "leaver"):
        assert references(web, web.story.cast.ids[person]) == []
    web.browser(web.story.cast.manager).press("/approvals/SR-000001", "approve")
    assert references(web, web.story.cast.manager) == []
    assert (
        references(web, web.story.cast.owner) == references(web, web.story.cast.second_owner) == ["SR-000001"]
    )


def test_whoever_has_decided_is_not_reminded_while_others_still_must(web: Web) -> None:
    web.story.planned({**OWNER_STAGE, "quorum": 2})
    web.browser(web.story.cast.owner).press("/approvals/SR-000001", "approve")
    assert references(web, web.story.cast.owner) == []
    assert references(web, web.story.cast.second_owner) == ["SR-000001"]


def test_what_was_decided_lately_stays_in_sight(web: Web) -> None:
    version = web.story.offer(MANAGER_STAGE)
    for _ in range(2):
        web.story.plan(web.story.request(version))
    browser = web.browser(web.story.cast.manager)
    browser.press("/approvals/SR-000001", "approve")
    browser.press("/approvals/SR-000002", "deny", comment="No")
    page = browser.get("/approvals").get_data(as_text=True)
    table = page[page.index("Decided by you lately") :]
    assert table.index("SR-000002") < table.index("SR-000001")
    assert "Denied" in table
    assert "Approved" in table


def test_pages_follow_each_other_without_a_gap_or_a_repeat(web: Web) -> None:
    version = web.story.offer(MANAGER_STAGE)
    for _ in range(2 * PAGE + 3):
        web.story.plan(web.story.request(version))
    with web.portal.db.reading() as session:
        actor = Actor(name="Milo Manager", person_id=web.story.cast.manager)
        assert count_awaiting(session, actor) == 2 * PAGE + 3
        seen: list[str] = []
        after = None
        while True:
            rows = requests_awaiting(session, actor, after=after)
            seen += [row.reference for row in rows[:PAGE]]
            if len(rows) <= PAGE:
                break
            after = (rows[PAGE - 1].due_at, rows[PAGE - 1].stage_id)
    assert seen == [f"SR-{number:06d}" for number in range(1, 2 * PAGE + 4)]
    page = web.browser(web.story.cast.manager).get("/approvals").get_data(as_text=True)
    document = html5lib.parse(page, namespaceHTMLElements=False)
    next_page = next(link.get("href") for link in document.iter("a") if link.get("rel") == "next")
    assert references(web, web.story.cast.manager, next_page) == seen[PAGE : 2 * PAGE]


@pytest.mark.parametrize(
    "after",
    ["", "x", "~", "2026-01-01~x", "9999-12-31T23:59:59~1", "2026-01-01T00:00:00+00:00~99999999999999999999"],
)
def test_a_made_up_place_to_start_is_no_error(web: Web, after: str) -> None:
    web.story.planned(MANAGER_STAGE)
    assert web.browser(web.story.cast.manager).get("/approvals", after=after).status_code == 200


def test_the_inbox_takes_the_same_few_statements_however_much_waits(web: Web) -> None:
    version = web.story.offer(MANAGER_STAGE)
    web.story.plan(web.story.request(version))
    browser = web.browser(web.story.cast.manager)
    browser.get("/approvals")  # writes the form's token into the session, once
    statements: list[str] = []
    event.listen(web.portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for _ in range(2):
        statements.clear()
        browser.get("/approvals")
        counts.append(len(statements))
        for _ in range(20):
            web.story.plan(web.story.request(version))
    assert counts[0] == counts[1] <= 8


def test_decisions_of_others_are_not_mine(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    web.browser(web.story.cast.manager).press("/approvals/SR-000001", "approve")
    with web.portal.db.reading() as session:
        assert decided_by(session, Actor(name="Olga Owner", person_id=web.story.cast.owner)) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["SR-000002", "SR-000001", "SR-000003"]),
        ({"due": "today"}, ["SR-000002"]),
        ({"risk": "high"}, ["SR-000003"]),
        ({"risk": "nonsense"}, ["SR-000002", "SR-000001", "SR-000003"]),
        ({"unit": "lisbon"}, ["SR-000003"]),
        ({"offering": "crm-access-1"}, ["SR-000002"]),
        ({"by": "rosa"}, ["SR-000002", "SR-000001"]),
        ({"by": "@ola.outsider"}, ["SR-000003"]),
        ({"by": "%"}, []),
        ({"by": "rosa", "due": "today", "offering": "crm-access-0"}, []),
    ],
)
def test_the_inbox_is_filtered(web: Web, query: dict[str, str], expected: list[str]) -> None:
    with web.portal.db.transaction() as session:
        session.get_one(Person, web.story.cast.outsider).manager_id = web.story.cast.manager
    slow = web.story.offer({**MANAGER_STAGE, "target": "5d"})
    quick = web.story.offer({**MANAGER_STAGE, "target": "1h"})
    for version, more in (
        (slow, {}),
        (quick, {}),
        (
            slow,
            {"requester": web.story.cast.outsider, "risk": {"level": "high", "score": 60, "reasons": []}},
        ),
    ):
        web.story.plan(web.story.request(version, **more))
    path = "/approvals?" + urlencode(query)
    assert references(web, web.story.cast.manager, path) == expected
    page = web.browser(web.story.cast.manager).get(path).get_data(as_text=True)
    assert '<option value="lisbon"' in page
    assert ("Nothing like that waits for you" in page) is (not expected)


def test_the_count_beside_approvals_stops_at_a_hundred() -> None:
    assert [few(waiting) for waiting in (0, 1, MOST_COUNTED - 1, MOST_COUNTED)] == [None, 1, 99, "99+"]
