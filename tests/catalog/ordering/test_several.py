"""One order for several people: a request each, all or none, one page over all of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.ordering.several import place
from catalog.requests.model import OrderGroup, Request
from catalog.requests.states import State

FORM = "/catalogue/words-on-shelves/request"
NAMES = "Rosa Requester\n  milo.manager \n\nHanna Head"


def asked(browser, names=NAMES, **answers):
    page = browser.get(FORM)
    token = page.split('name="_draft" value="')[1].split('"')[0]
    form = {"_draft": token, "person": names, "word": "hello", "reason": "To be read.", **answers}
    return token, browser.post(FORM, form, status=answers.pop("status", 200))


def requests(web):
    with web.portal.db.reading() as session:
        return session.scalars(select(Request).order_by(Request.number)).all()


def test_each_of_the_people_gets_a_request_and_one_page_shows_them_all(web, cast, shelves, several, offer):
    version = offer(several)
    browser = web.browser(cast.requester)
    token, review = asked(browser)
    assert browser.path == f"/drafts/{token}/people"
    for text in ("Word hello for Rosa Requester", "Word hello for Milo Manager", "Submit 3 requests"):
        assert text in review
    assert requests(web) == []

    for _ in range(2):
        page = browser.post(f"/drafts/{token}/people/submit", {"version": version})
        assert browser.path.startswith("/orders/")
    assert "3 requests by one order" in page
    made = requests(web)
    assert [request.beneficiary_id for request in made] == [cast.requester, cast.manager, cast.head]
    assert len({request.order_group_id for request in made}) == 1
    # Who is asked for by somebody else is told, and sees their own request and not the order.
    told = [person for event, person in shelves.mails() if event == "asked_for_you"]
    assert sorted(told) == sorted([cast.manager, cast.head])
    theirs = web.browser(cast.manager)
    assert made[1].reference in theirs.get("/requests")
    assert "All requests of this order" not in theirs.get(f"/requests/{made[1].reference}")
    theirs.get(browser.path, status=404)
    assert "All requests of this order" in browser.get(f"/requests/{made[0].reference}")
    assert browser.get(f"/drafts/{token}/review") and browser.path.startswith("/orders/")
    assert f"draft={token}" not in browser.get("/requests")


@pytest.mark.on_sqlite
def test_what_is_wrong_for_one_is_said_with_the_name_and_nobody_is_asked_for(web, cast, several, offer):
    offer(several)
    browser = web.browser(cast.requester)
    page = browser.get(FORM)
    token = page.split('name="_draft" value="')[1].split('"')[0]
    form = {"_draft": token, "person": "Rosa Requester\nNobody Here\nrosa.requester", "word": "hello"}
    page = browser.post(FORM, {**form, "reason": "To be read."}, status=422)
    assert "Nobody Here: Nobody is called “Nobody Here”." in page
    page = browser.post(FORM, {**form, "reason": "x"}, status=422)
    assert page.count("write at least 5") >= 1
    assert "Nobody Here: “Reason”" not in page
    form["person"] = "Rosa Requester\nrosa.requester"
    page = browser.post(FORM, {**form, "reason": "To be read."}, status=422)
    assert "“rosa.requester” is named twice." in page
    form["person"] = "\n".join(f"person{number}" for number in range(51))
    page = browser.post(FORM, {**form, "reason": "To be read."}, status=422)
    assert "at most 50 fit in one order" in page
    assert requests(web) == []


@pytest.mark.on_sqlite
def test_whoever_has_an_open_request_for_the_same_stops_the_order(
    web, cast, shelves, several, offer, actor_of
):
    version = offer(several)
    shelves.submitted(actor_of(cast.requester), person="milo.manager")
    browser = web.browser(cast.requester)
    token, page = asked(browser)
    assert "SR-000001 asks for the same" in page
    assert "Submit 3 requests" not in page
    browser.get("/requests")
    browser.post(f"/drafts/{token}/people/submit", {"version": version})
    assert len(requests(web)) == 1


@pytest.mark.on_sqlite
def test_one_name_is_an_ordinary_request_and_a_request_is_never_edited_into_several(
    web, cast, shelves, several, offer
):
    version = offer(several)
    browser = web.browser(cast.requester)
    token, _ = asked(browser, "Milo Manager")
    assert browser.path == f"/drafts/{token}/review"
    browser.post(f"/drafts/{token}/submit", {"version": version})
    shelves.work()
    page = browser.get("/requests/SR-000001/edit")
    page = browser.post(
        "/requests/SR-000001/edit", {"person": NAMES, "word": "hello", "reason": "To be read."}, status=422
    )
    assert "A request is for one person" in page
    (request,) = requests(web)
    assert (request.state, request.beneficiary_id) == (State.PENDING, cast.manager)


def test_a_token_stands_for_one_order(shelves, cast, several, offer, actor_of):
    offer(several)
    actor = actor_of(cast.requester)
    answers = shelves.checked(actor).answers
    for _ in range(2):
        with shelves.db.transaction() as session:
            from catalog.offerings.model import OfferingVersion

            version = session.get_one(OfferingVersion, shelves.version_id)
            place(session, actor, "token", version, [answers])
    with shelves.db.reading() as session:
        assert len(session.scalars(select(OrderGroup)).all()) == 1
        assert len(session.scalars(select(Request)).all()) == 1


@pytest.mark.on_sqlite
def test_only_what_was_looked_over_is_sent_for_everybody(web, cast, several, offer):
    version = offer(several)
    browser = web.browser(cast.requester)
    token, review = asked(browser)
    reviewed = review.split('name="reviewed" value="')[1].split('"')[0]
    # Another tab names somebody else meanwhile.
    form = {"_draft": token, "person": "Rosa Requester\nHanna Head", "word": "hello", "reason": "To be read."}
    browser.post(FORM + "/draft", form)
    page = browser.post(f"/drafts/{token}/people/submit", {"version": version, "reviewed": reviewed})
    assert "Your answers were changed while you were asking." in page
    assert requests(web) == []
    reviewed = page.split('name="reviewed" value="')[1].split('"')[0]
    browser.post(f"/drafts/{token}/people/submit", {"version": version, "reviewed": reviewed})
    assert len(requests(web)) == 2
