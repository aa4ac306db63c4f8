"""The operators' page of a request that does not get on, its buttons, and who may press them."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests.states import State
from portal.identity.model import Group, Membership, WebSession
from portal.jobs import Task
from tests.catalog.requests.test_show import approve

pytestmark = pytest.mark.on_sqlite

FAILURE = "/operations/requests/SR-000001"
PROOF = "Put on the rack by hand, see the log of the cellar."


@pytest.fixture
def failed(web, cast, shelves, actor_of):
    request_id = shelves.prepared(actor_of(cast.requester), second="world")
    approve(web.portal, actor_of(cast.manager), request_id)
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    shelves.work()
    with web.portal.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "operators")).one()
        session.add(Membership(group_id=group, person_id=cast.security))
        session.add(Membership(group_id=group, person_id=cast.requester))
    return request_id


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0]


def test_by_hand_from_the_first_word_to_the_second_yes(web, cast, shelves, failed):
    first, second = web.browser(cast.operator), web.browser(cast.security)
    page = first.get(FAILURE)
    for text in (
        "The rack takes no words.",
        "Done and undone. Nothing of it is left there: The shelf.",
        "I have done this step by hand",
        "Try again",
    ):
        assert text in page
    form = {"seen": hidden(page, "seen"), "step": hidden(page, "step"), "proof": "yes"}
    assert "a few words at least" in first.post(f"{FAILURE}/by-hand", form, status=422)
    form = {**form, "proof": PROOF, "files": (io.BytesIO(b"seen on the rack\n"), "log.txt")}
    page = first.post(f"{FAILURE}/by-hand", form)
    assert "You said it yourself: a colleague must confirm it." in page
    assert "Not asked yet" in page
    first.post(f"{FAILURE}/by-hand/confirm", {"seen": hidden(page, "seen")}, status=403)

    shelves.rack.shelf["world"] = "by hand"
    shelves.work()
    page = second.get(FAILURE)
    for text in (PROOF, "Oskar Operator", "Download log.txt", "It is there", "The rack shows “world”"):
        assert text in page
    mine = web.browser(cast.requester)
    assert "Whoever asks or receives cannot confirm it" in mine.get(FAILURE)
    mine.post(f"{FAILURE}/by-hand/confirm", {"seen": hidden(page, "seen")}, status=403)
    second.post(f"{FAILURE}/by-hand/confirm", {"seen": hidden(page, "seen")})
    shelves.work()
    assert shelves.request(failed).state is State.FULFILLED
    assert "Done by hand, and confirmed by a second operator" in mine.get("/requests/SR-000001")


def test_who_comes_second_is_told_that_it_has_changed(web, cast, shelves, failed):
    first, second = web.browser(cast.operator), web.browser(cast.security)
    seen = hidden(first.get(FAILURE), "seen")
    second.get(FAILURE)
    first.post(f"{FAILURE}/again", {"seen": seen})
    page = second.post(f"{FAILURE}/by-hand", {"seen": seen, "step": "2", "proof": PROOF}, status=409)
    assert "A colleague has acted on this request meanwhile" in page
    shelves.work()
    assert shelves.request(failed).state is State.FULFILLED


def test_a_sign_in_of_long_ago_is_asked_for_again_and_what_was_typed_is_kept(web, cast, failed):
    browser = web.browser(cast.operator)
    page = browser.get(FAILURE)
    with web.portal.db.transaction() as session:
        for row in session.scalars(select(WebSession)):
            row.auth_time = row.auth_time - timedelta(minutes=16)
    form = {"seen": hidden(page, "seen"), "step": hidden(page, "step"), "proof": PROOF}
    browser.post(f"{FAILURE}/by-hand", form, follow=False, status=303)
    assert "max_age=900" in browser.last.headers["Location"]
    for path in (f"{FAILURE}/again", "/operations/requests/SR-000001/retry"):
        browser.post(path, {"seen": form["seen"]} if path.endswith("again") else {}, follow=False, status=303)
        assert "max_age=900" in browser.last.headers["Location"]
    page = browser.get(FAILURE)
    assert PROOF in page
    assert "You have signed in again." in page
    assert PROOF not in browser.get(FAILURE)


def test_only_operators_see_it_in_few_statements(web, cast, failed):
    web.browser(cast.manager).get(FAILURE, status=403)
    browser = web.browser(cast.operator)
    browser.get("/operations/requests/SR-999999", status=404)
    assert len(web.counting(lambda: browser.get(FAILURE))) <= 8


def test_a_queue_without_a_worker_stands_on_the_operators_page(web, cast, failed, clock):
    with web.portal.db.transaction() as session:
        task = session.scalars(select(Task).order_by(Task.id).limit(1)).one()
        task.state, task.queue, task.run_at = "waiting", "cellar", clock()
        task.created_at = clock()
    clock.pass_time(minutes=2)
    browser = web.browser(cast.operator)
    page = browser.get("/operations")
    assert "countersign worker --queue cellar" in page
    assert "1 task waits" in page
    assert len(web.counting(lambda: browser.get("/operations"))) <= 12
