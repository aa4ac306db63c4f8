"""Asking: the form, the draft, the review, and one request at the end."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests.model import Draft, Request
from catalog.requests.states import State
from tests.fixtures_requests import OFFERING, add_offering

pytestmark = pytest.mark.on_sqlite

FORM = "/catalogue/words-on-shelves/request"
ANSWERS = {"word": "hello", "reason": "To be read."}


def token_in(page: str) -> str:
    found = re.search(r'name="_draft" value="([^"]+)"', page)
    assert found
    return found[1]


def drafts(web):
    with web.portal.db.reading() as session:
        return session.scalars(select(Draft)).all()


def requests(web):
    with web.portal.db.reading() as session:
        return session.scalars(select(Request)).all()


def fill_in(browser, **answers):
    token = token_in(browser.get(FORM))
    return token, browser.post(FORM, {"_draft": token, **ANSWERS, **answers})


def test_from_the_form_over_the_review_to_the_request(web, cast, shelves):
    browser = web.browser(cast.requester)

    token, review = fill_in(browser, second="world")

    assert browser.path == f"/drafts/{token}/review"
    for text in (
        "Word hello",
        "Put “hello” on the shelf",
        "Put “world” on the rack",
        "Milo Manager",
        "Low risk",
    ):
        assert text in review
    # Wednesday 10:00 in Berlin and eight working hours: Thursday 10:00, and a quarter of an hour for the worker.
    assert "19 Nov 2026, 10:15 CET" in review
    assert requests(web) == []
    page = browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id})
    assert browser.path == "/requests/SR-000001"
    assert "SR-000001 is submitted" in page
    assert "Preparing" in page
    shelves.work()
    page = browser.get("/requests/SR-000001")
    for text in (
        "Awaiting approval",
        "Milo Manager",
        "Put “hello” on the shelf",
        "Put the second word up",
        "sha256:",
    ):
        assert text in page
    assert requests(web)[0].state is State.PENDING


def test_submitted_twice_it_is_one_request(web, cast, shelves):
    browser = web.browser(cast.requester)
    token, _ = fill_in(browser)
    for _ in range(2):
        browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id})
        assert browser.path == "/requests/SR-000001"
    assert len(requests(web)) == 1
    browser.get(f"/drafts/{token}/review")
    assert browser.path == "/requests/SR-000001"


def test_an_error_stands_in_the_summary_and_at_its_field_and_loses_nothing(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))

    page = browser.post(FORM, {"_draft": token, "word": "<b>hello</b>", "reason": "x"}, status=422)

    assert "There is a problem" in page
    assert 'href="#reason"' in page
    assert "&lt;b&gt;hello&lt;/b&gt;" in page
    assert "<b>hello</b>" not in page
    assert "<title>Error: " in page
    assert drafts(web)[0].answers["word"] == "<b>hello</b>"
    assert token_in(page) == token


def test_saved_for_later_it_is_found_among_my_requests(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))

    page = browser.post(FORM, {"_draft": token, "word": "half", "_do": "save"})

    assert browser.path == "/requests"
    assert f"draft={token}" in page
    page = browser.get(f"{FORM}?draft={token}")
    assert 'value="half"' in page
    assert f"draft={token}" in browser.get(FORM)
    browser.get("/requests")
    browser.post(f"/drafts/{token}/discard")
    assert drafts(web) == []


def test_it_is_kept_as_the_person_types(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    said = browser.post(FORM + "/draft", {"_draft": token, "word": "hel"})
    assert said.strip().startswith("Kept")
    assert drafts(web)[0].answers["word"] == "hel"


def test_a_session_that_ended_while_typing_loses_nothing(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    web.end_sessions()

    browser.post(FORM, {"_draft": token, **ANSWERS}, follow=False, status=303)

    assert browser.last.location == f"{FORM}?draft={token}&kept=1"
    assert drafts(web)[0].answers["word"] == "hello"
    assert drafts(web)[0].person_id == cast.requester
    back = web.browser(cast.requester)
    page = back.get(f"{FORM}?draft={token}&kept=1")
    assert 'value="hello"' in page
    assert "Your session had ended" in page


def test_what_is_kept_as_the_person_types_outlives_the_session_too(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    web.end_sessions()
    said = browser.post(FORM + "/draft", {"_draft": token, "word": "hel"})
    assert said == "Kept. Your session has ended: sign in again when you go on."
    assert drafts(web)[0].answers["word"] == "hel"


def test_a_form_token_of_another_session_loses_nothing_either(web, cast):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    browser.csrf = "wrong"
    page = browser.post(FORM, {"_draft": token, **ANSWERS})
    assert 'value="hello"' in page
    assert requests(web) == []


def test_a_forged_draft_token_keeps_nothing(web, cast):
    stranger = web.browser()
    page = stranger.post(FORM, {"_draft": f"abc.{cast.requester}.def", **ANSWERS}, status=400)
    assert "session has ended" in page
    assert drafts(web) == []


def test_another_persons_draft_is_not_there(web, cast):
    browser = web.browser(cast.requester)
    token, _ = fill_in(browser)
    other = web.browser(cast.outsider)
    other.get("/requests")
    for path in (f"{FORM}?draft={token}", f"/drafts/{token}/review"):
        other.get(path, status=404)
    other.csrf = other.csrf or token_of(other)
    other.post(FORM, {"_draft": token, **ANSWERS}, status=404)
    other.post(FORM + "/draft", {"_draft": token, **ANSWERS, "word": "theirs"}, status=404)
    assert drafts(web)[0].answers["word"] == "hello"
    other.post(f"/drafts/{token}/submit", status=404)
    assert requests(web) == []


def test_only_what_was_looked_over_is_submitted(web, cast, shelves):
    browser = web.browser(cast.requester)
    token, review = fill_in(browser)
    shown = re.search(r'name="reviewed" value="([^"]+)"', review)[1]
    browser.post(FORM + "/draft", {"_draft": token, **ANSWERS, "word": "other"})
    page = browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id, "reviewed": shown})
    assert browser.path == f"/drafts/{token}/review"
    assert "Look everything over once more" in page
    assert requests(web) == []
    shown = re.search(r'name="reviewed" value="([^"]+)"', page)[1]
    browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id, "reviewed": shown})
    assert [request.answers["word"] for request in requests(web)] == ["other"]


def token_of(browser) -> str:
    browser.get(FORM)
    return browser.csrf


def test_an_unknown_service_is_said_plainly(web, cast):
    page = web.browser(cast.requester).get("/catalogue/nothing-here/request", status=404)
    assert "There is no such service in the catalogue" in page


def test_a_target_that_does_not_answer_still_lets_submit(web, cast, shelves):
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    browser.post(FORM, {"_draft": token, **ANSWERS}, follow=False, status=303)
    shelves.shelf.trouble["plan"] = ConnectorError("The shelf does not answer.")
    page = browser.get(f"/drafts/{token}/review")
    assert "The shelf does not answer. You can submit all the same" in page
    browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id})
    assert browser.path == "/requests/SR-000001"


def test_what_the_firewall_allows_already_is_said_on_the_form(web, cast, shelves):
    shelves.shelf.needless = lambda order: "This is already allowed by SR-000009."
    browser = web.browser(cast.requester)
    token = token_in(browser.get(FORM))
    page = browser.post(FORM, {"_draft": token, **ANSWERS}, status=422)
    assert "This is already allowed by SR-000009." in page
    assert "Nobody needs to approve it again" in page
    assert 'value="hello"' in page


def test_a_service_published_anew_is_looked_over_again(web, cast, shelves):
    browser = web.browser(cast.requester)
    token, _ = fill_in(browser)
    page = browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id + 1})
    assert browser.path == f"/drafts/{token}/review"
    assert "Look everything over once more" in page
    assert requests(web) == []


def test_answers_that_no_longer_pass_lead_back_to_the_form(web, cast, shelves):
    browser = web.browser(cast.requester)
    token, _ = fill_in(browser, until="2026-11-18")
    browser.get("/requests")
    with web.portal.db.transaction() as session:
        draft = session.scalars(select(Draft)).one()
        draft.answers = {**draft.answers, "until": "2026-11-17"}
    page = browser.post(f"/drafts/{token}/submit", {"version": shelves.version_id})
    assert browser.path == FORM
    assert 'href="#until"' in page
    assert requests(web) == []


def test_nobody_who_is_not_signed_in_sees_a_form(web):
    browser = web.browser()
    answer = browser.client.get(FORM)
    assert answer.status_code == 303
    assert "/sign-in" in answer.location


def test_the_form_takes_eight_statements_at_most_where_an_audience_is_asked_for(web, cast, shelves):
    with shelves.db.transaction() as session:
        content = {**OFFERING, "slug": "for-holding", "audience": "requester.unit == 'holding'"}
        add_offering(session, content)
    browser = web.browser(cast.requester)
    path = "/catalogue/for-holding/request"
    token = token_in(browser.get(path))
    # The session, its person and the count beside Approvals are on every page.
    assert len(web.counting(lambda: browser.get(path))) - 3 <= 8
    browser.post(path + "/draft", {"_draft": token, "word": "hel"})
    assert len(web.counting(lambda: browser.get(f"{path}?draft={token}"))) - 3 <= 8
    assert "no such service" in web.browser(cast.outsider).get(path, status=404)


def test_what_is_kept_for_an_ended_session_is_for_its_owners_eyes_only(web, cast, shelves):
    with shelves.db.transaction() as session:
        content = {**OFFERING, "slug": "for-lisbon", "audience": "requester.unit == 'lisbon'"}
        add_offering(session, content)
    ours = web.browser(cast.requester)
    token = token_in(ours.get(FORM))
    web.end_sessions()
    page = ours.post("/catalogue/for-lisbon/request/draft", {"_draft": token, "word": "hel"}, status=400)
    assert "session has ended" in page
    assert drafts(web) == []
    theirs = web.browser(cast.outsider)
    token = token_in(theirs.get("/catalogue/for-lisbon/request"))
    web.end_sessions()
    said = theirs.post("/catalogue/for-lisbon/request/draft", {"_draft": token, "word": "hel"})
    assert said.startswith("Kept.")
    assert drafts(web)[0].person_id == cast.outsider


def test_a_form_that_holds_more_than_its_page_asks_for_does_nothing(web, cast):
    browser = web.browser(cast.requester)
    token, _ = fill_in(browser)
    for path in (f"/drafts/{token}/submit", f"/drafts/{token}/discard", f"/drafts/{token}/favourite"):
        said = browser.post(path, {"version": "1", "name": "x", "surprise": "1"}, status=400)
        assert "something that the page does not ask for" in said
    assert requests(web) == []
    assert len(drafts(web)) == 1


def test_keeping_what_is_typed_sends_no_file(web, cast):
    page = web.browser(cast.requester).get(FORM)
    (kept,) = re.findall(r'<p[^>]*id="draft-kept"[^>]*>', page)
    assert page.index(kept) > page.index("</form>", page.index('id="ask"'))
    assert "#ask input:not([type=file])" in kept
    assert "encoding" not in kept
