"""A request's page: who may see it, what it says on the way, and what can be done there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.model import Entry

pytestmark = pytest.mark.on_sqlite

PAGE = "/requests/SR-000001"


def approve(portal, actor, request_id, *, comment="Go on.", verdict=Verdict.APPROVE):
    with portal.db.transaction() as session:
        request = session.get_one(Request, request_id)
        decide(
            session,
            actor,
            request_id,
            verdict=verdict,
            comment=comment,
            seal=request.seal,
            settings=portal.settings,
        )


def test_the_whole_way_is_told_on_the_page(web, cast, shelves, actor_of):
    browser = web.browser(cast.requester)
    request_id = shelves.prepared(actor_of(cast.requester), until="2027-01-15")
    page = browser.get(PAGE)
    for text in ("Waiting for", "Milo Manager", "Due by", "it is carried out by itself, exactly as approved"):
        assert text in page
    assert "Refresh this page" not in page

    approve(web.portal, actor_of(cast.manager), request_id)
    page = browser.get(PAGE)
    assert "Scheduled" in page
    assert "Refresh this page" in page
    shelves.work()

    page = browser.get(PAGE)
    for text in (
        "Fulfilled",
        "Everything that was approved is in place and was read back",
        "Milo Manager</strong> approved",
        "Go on.",
        "“hello” stands on the shelf",
        "The shelf shows “hello”",
        "Download hello.txt",
        "Fulfilment started",
        "Read back from the target",
    ):
        assert text in page
    assert "Withdraw the request" not in page
    assert shelves.request(request_id).state is State.FULFILLED


def test_times_are_in_the_readers_zone(web, cast, shelves, actor_of):
    shelves.prepared(actor_of(cast.requester), person="ola.outsider")
    assert "18 Nov 2026, 10:00 CET" in web.browser(cast.requester).get(PAGE)
    assert "18 Nov 2026, 09:00 WET" in web.browser(cast.outsider).get(PAGE)


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ("requester", 200),
        ("outsider", 200),  # receives it
        ("head", 200),  # is asked
        ("security", 200),
        ("compliance", 200),
        ("auditor", 200),
        ("operator", 200),
        ("owner", 404),
        ("manager", 404),
    ],
)
def test_who_may_see_it(web, cast, shelves, actor_of, part, status):
    """Its existence is itself a secret. The beneficiary's line manager is the head."""
    shelves.prepared(actor_of(cast.requester), person="ola.outsider")
    browser = web.browser(cast.ids[part])
    page = browser.get(PAGE, status=status)
    assert ("Word hello" in page) == (status == 200)
    if status == 404:
        nothing = browser.get("/requests/SR-999999", status=404)
        assert page.split("<main")[1].split("</main")[0] == nothing.split("<main")[1].split("</main")[0]


@pytest.mark.parametrize(("part", "there"), [("compliance", True), ("auditor", True), ("requester", False)])
def test_evidence_is_offered_to_those_who_may_read_it(web, cast, shelves, actor_of, part, there):
    shelves.prepared(actor_of(cast.requester))
    page = web.browser(cast.ids[part]).get(PAGE)
    assert ("A signed file of all of this" in page) == there


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/requests?before={}", 200),
        ("/entitlements?before={}", 200),
        ("/requests/SR-000001/attachments/{}", 404),
        ("/work/{}", 404),
        ("/orders/{}", 404),
    ],
)
def test_a_number_that_no_database_holds_is_no_mistake_of_ours(web, cast, address, status):
    web.browser(cast.requester).get(address.format("9" * 30), status=status)


def test_the_requester_withdraws_with_a_reason(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester))
    browser = web.browser(cast.requester)
    browser.get(PAGE)
    page = browser.post(f"{PAGE}/withdraw", {"reason": "Not <i>needed</i>."})
    assert "SR-000001 is withdrawn" in page
    assert "Not &lt;i&gt;needed&lt;/i&gt;." in page
    assert shelves.request(request_id).state is State.WITHDRAWN


def test_a_reason_that_is_too_long_stays_on_the_page(web, cast, shelves, actor_of):
    shelves.prepared(actor_of(cast.requester))
    browser = web.browser(cast.requester)
    browser.get(PAGE)
    page = browser.post(f"{PAGE}/withdraw", {"reason": "x" * 1001}, status=422)
    assert "longer than 1000 characters" in page
    assert "x" * 1001 in page


def test_a_withdrawal_that_holds_more_than_the_page_asks_for_does_nothing(web, cast, shelves, actor_of):
    shelves.prepared(actor_of(cast.requester))
    browser = web.browser(cast.requester)
    browser.get(PAGE)
    said = browser.post(f"{PAGE}/withdraw", {"reason": "No.", "surprise": "1"}, status=400)
    assert "something that the page does not ask for" in said
    assert 'data-state="pending"' in browser.get(PAGE)


def test_others_neither_find_the_button_nor_can_post(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester))
    operator, stranger = web.browser(cast.operator), web.browser(cast.outsider)
    assert "Withdraw the request" not in operator.get(PAGE)
    operator.post(f"{PAGE}/withdraw", status=403)
    stranger.get("/requests")
    stranger.csrf = operator.csrf
    stranger.post(f"{PAGE}/withdraw", status=400)
    assert shelves.request(request_id).state is State.PENDING


def test_a_file_is_fetched_as_a_file_and_the_fetch_is_recorded(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester))
    approve(web.portal, actor_of(cast.manager), request_id)
    shelves.work()
    browser = web.browser(cast.requester)
    browser.get(f"{PAGE}/files/hello.txt")
    assert browser.last.data == b"hello"
    assert browser.last.headers["Content-Disposition"] == 'attachment; filename="hello.txt"'
    assert browser.last.headers["Cache-Control"] == "no-store"
    browser.get(f"{PAGE}/files/other.txt", status=404)
    web.browser(cast.owner).get(f"{PAGE}/files/hello.txt", status=404)
    with web.portal.db.reading() as session:
        fetched = session.scalars(select(Entry).where(Entry.tag == tags.ARTEFACT_FETCHED)).all()
    assert [entry.actor for entry in fetched] == [f"person:{cast.requester}"]


def test_an_edit_voids_what_was_agreed_and_asks_again(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester))
    browser = web.browser(cast.requester)
    page = browser.get(f"{PAGE}/edit")
    assert 'value="hello"' in page
    page = browser.post(f"{PAGE}/edit", {"word": "", "reason": "To be read."}, status=422)
    assert 'href="#word"' in page
    page = browser.post(f"{PAGE}/edit", {"word": "other", "reason": "To be read."})
    assert "Answers changed; every approval so far is void" in page
    shelves.work()
    page = browser.get(PAGE)
    assert "Word other" in page
    assert "Awaiting approval" in page
    assert shelves.request(request_id).revision == 2
    web.browser(cast.operator).get("/requests")
    other = web.browser(cast.operator)
    other.get("/operations")
    other.get(f"{PAGE}/edit", status=403)
    other.post(f"{PAGE}/edit", {"word": "third", "reason": "To be read."}, status=403)


def test_a_failure_says_why_and_who_acts(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester))
    approve(web.portal, actor_of(cast.manager), request_id)
    shelves.shelf.trouble["apply"] = ConnectorError("The shelf takes no words.", permanent=True)
    shelves.work()
    page = web.browser(cast.requester).get(PAGE)
    assert "The shelf takes no words." in page
    assert "The operators" in page

    operator = web.browser(cast.operator)
    page = operator.get("/operations")
    assert "SR-000001" in page
    assert "The shelf takes no words." in page
    operator.post("/operations/requests/SR-000001/retry")
    shelves.work()
    assert shelves.request(request_id).state is State.FULFILLED


def test_a_task_that_was_set_aside_is_put_back_by_an_operator_only(web, cast, shelves, actor_of, clock):
    shelves.submitted(actor_of(cast.requester))
    for _ in range(5):
        shelves.shelf.trouble["plan"] = ConnectorError("The shelf does not answer.")
        shelves.work()
        clock.pass_time(minutes=10)
    web.browser(cast.requester).get("/operations", status=403)
    operator = web.browser(cast.operator)
    page = operator.get("/operations")
    assert "The shelf does not answer." in page
    assert "Try 5 of 5" in page
    number = page.split("/operations/tasks/")[1].split("/")[0]
    operator.post(f"/operations/tasks/{number}/retry")
    shelves.shelf.trouble.clear()
    shelves.work()
    assert "Awaiting approval" in web.browser(cast.requester).get(PAGE)
    operator.get("/operations")
    operator.post(f"/operations/tasks/{number}/retry", status=409)


def test_the_holder_sees_and_gives_back(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester), until="2027-01-15")
    approve(web.portal, actor_of(cast.manager), request_id)
    shelves.work()
    browser = web.browser(cast.requester)
    page = browser.get("/entitlements")
    assert "Word hello" in page
    assert "SR-000001" in page
    with web.portal.db.reading() as session:
        number = session.scalars(select(Entitlement.id)).one()
    other = web.browser(cast.operator)
    other.get("/operations")
    other.get("/requests/SR-000001")
    page = browser.post(f"/entitlements/{number}/give-back")
    assert "Being taken away" in page
    shelves.work()
    assert "Nothing is in place for you" in browser.get("/entitlements")
    assert "Its holder gave it back." in browser.get("/entitlements?show=ended")
    assert shelves.request(request_id).state is State.ENDED


def test_my_lists_page_by_page(web, cast, shelves, actor_of):
    actor = actor_of(cast.requester)
    for number in range(27):
        shelves.submitted(actor, word=f"word{number}")
    browser = web.browser(cast.requester)
    page = browser.get("/requests")
    assert "SR-000027" in page
    assert "SR-000003" in page
    assert "SR-000002" not in page
    page = browser.get("/requests?before=3")
    assert "SR-000002" in page
    assert "SR-000003" not in page
    assert "SR-000001" not in web.browser(cast.outsider).get("/requests")
    assert "Nothing is closed yet" in browser.get("/requests?show=closed")


@pytest.mark.parametrize("path", ["/requests", PAGE, "/entitlements", "/catalogue/words-on-shelves/request"])
def test_a_page_takes_few_statements_however_much_there_is(web, cast, shelves, actor_of, path):
    """Eight of its own; the session, its person, their groups and the count beside Approvals are everywhere."""
    actor = actor_of(cast.requester)
    request_id = shelves.prepared(actor, second="world")
    approve(web.portal, actor_of(cast.manager), request_id)
    shelves.work()
    browser = web.browser(cast.requester)
    browser.get(path)
    few = web.counting(lambda: browser.get(path))
    for number in range(5):
        other = shelves.prepared(actor, word=f"word{number}", second=f"second{number}")
        approve(web.portal, actor_of(cast.manager), other)
    shelves.work()
    many = web.counting(lambda: browser.get(path))
    frame = web.counting(lambda: browser.get("/entitlements?show=ended"))
    assert len(many) == len(few), many
    assert len(few) - (len(frame) - 1) <= 8, few
