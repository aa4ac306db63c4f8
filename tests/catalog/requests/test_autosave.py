"""Keeping what is typed: saves that overtake each other, or are under way when the form itself is sent."""

from __future__ import annotations

import re
import threading
from contextlib import suppress

import pytest
from sqlalchemy import select

from catalog.offerings.model import OfferingVersion
from catalog.requests.drafts import MOST_PAGES, Overtaken, Save, keep, new_token, read_save
from catalog.requests.model import Draft, Request
from tests.fixtures_requests import KEY, OFFERING, add_offering

pytestmark = pytest.mark.on_sqlite

FORM = "/catalogue/words-on-shelves/request"
ANSWERS = {"word": "hello", "reason": "To be read."}
PAGE, OTHER = "0123456789abcdef", "fedcba9876543210"
CHANGED = "Your answers were changed while you were asking"


def begin(browser, path=FORM):
    return re.search(r'name="_draft" value="([^"]+)"', browser.get(path))[1]


def save(browser, token, number, page=PAGE, *, status=200, path=FORM, **answers):
    form = {"_draft": token, "_save": f"{page}.{number}", **ANSWERS, **answers}
    urlencoded = "application/x-www-form-urlencoded"
    return browser.post(path + "/draft", form, status=status, content_type=urlencoded)


def send(browser, token, number, page=PAGE, *, path=FORM, **answers):
    """Send the form; gives the digest of what is looked over then."""
    review = browser.post(path, {"_draft": token, "_save": f"{page}.{number}", **ANSWERS, **answers})
    return re.search(r'name="reviewed" value="([^"]+)"', review)[1]


def submit(browser, token, version_id, reviewed):
    return browser.post(f"/drafts/{token}/submit", {"version": version_id, "reviewed": reviewed})


def draft(web) -> Draft:
    with web.portal.db.reading() as session:
        return session.scalars(select(Draft)).one()


def asked(web):
    with web.portal.db.reading() as session:
        return [request.answers for request in session.scalars(select(Request))]


def test_a_save_that_arrives_after_the_form_was_sent_changes_nothing(web, cast, shelves):
    browser = web.browser(cast.requester)
    token = begin(browser)
    reviewed = send(browser, token, 2)

    assert save(browser, token, 1, word="hel", status=204) == ""

    assert draft(web).answers["word"] == "hello"
    assert "is submitted" in submit(browser, token, shelves.version_id, reviewed)
    assert [answers["word"] for answers in asked(web)] == ["hello"]
    assert save(browser, token, 1, word="hel", status=204) == ""


def test_of_two_saves_that_overtook_each_other_the_later_one_stays(web, cast):
    browser = web.browser(cast.requester)
    token = begin(browser)
    save(browser, token, 11, word="hello")
    save(browser, token, 9, word="he", status=204)
    save(browser, token, 11, word="he", status=204)
    assert draft(web).answers["word"] == "hello"
    save(browser, token, 12, word="hello you")
    assert draft(web).answers["word"] == "hello you"


def test_a_form_that_was_sent_is_kept_whatever_came_before(web, cast):
    browser = web.browser(cast.requester)
    token = begin(browser)
    save(browser, token, 7, word="seven")
    send(browser, token, 3, word="three")
    assert draft(web).answers["word"] == "three"
    # What this page saved before is over all the same.
    save(browser, token, 7, word="seven", status=204)
    assert draft(web).answers["word"] == "three"


def test_a_page_that_is_shown_again_goes_on_saving(web, cast):
    browser = web.browser(cast.requester)
    token = begin(browser)
    send(browser, token, 4)
    assert save(browser, token, 5, word="again").strip().startswith("Kept")
    assert draft(web).answers["word"] == "again"


def test_another_window_changes_the_answers_and_they_are_looked_over_again(web, cast, shelves):
    browser = web.browser(cast.requester)
    token = begin(browser)
    reviewed = send(browser, token, 5)
    save(browser, token, 1, OTHER, word="other")
    page = submit(browser, token, shelves.version_id, reviewed)
    assert browser.path == f"/drafts/{token}/review"
    assert CHANGED in page
    assert asked(web) == []
    reviewed = re.search(r'name="reviewed" value="([^"]+)"', page)[1]
    submit(browser, token, shelves.version_id, reviewed)
    assert [answers["word"] for answers in asked(web)] == ["other"]


def test_the_same_answers_from_another_window_are_no_change(web, cast, shelves, clock):
    browser = web.browser(cast.requester)
    token = begin(browser)
    # A browser ends lines of a form with CRLF, a script with LF.
    reviewed = send(browser, token, 5, reason="To be read.\r\nBy all.")
    sent_at = draft(web).updated_at
    clock.pass_time(minutes=1)
    said = save(browser, token, 1, OTHER, reason="To be read.\nBy all.")
    assert said.strip().startswith("Kept")
    assert draft(web).updated_at == sent_at
    page = submit(browser, token, shelves.version_id, reviewed)
    assert CHANGED not in page
    assert browser.path == "/requests/SR-000001"
    assert asked(web)[0]["reason"] == "To be read.\nBy all."


@pytest.fixture
def with_proof(shelves) -> tuple[str, int]:
    """A service that takes files: where its form is, and its version."""
    sections = OFFERING["form"]["sections"]
    proof = {"name": "proof", "kind": "file", "label": "Proof", "required": False}
    form = {"sections": [{**sections[0], "fields": [*sections[0]["fields"], proof]}]}
    with shelves.db.transaction() as session:
        version_id = add_offering(session, {**OFFERING, "slug": "with-proof", "form": form})
    return "/catalogue/with-proof/request", version_id


def test_a_form_without_its_files_is_the_same_sent_or_saved(web, cast, with_proof):
    path, version_id = with_proof
    browser = web.browser(cast.requester)
    token = begin(browser, path)
    reviewed = send(browser, token, 2, path=path)
    save(browser, token, 1, OTHER, path=path)
    assert CHANGED not in submit(browser, token, version_id, reviewed)
    assert browser.path == "/requests/SR-000001"


def test_a_form_that_takes_files_loses_nothing_when_the_session_ended(web, cast, with_proof):
    path, _ = with_proof
    browser = web.browser(cast.requester)
    token = begin(browser, path)
    web.end_sessions()
    browser.post(path + "/files", {"_draft": token, **ANSWERS}, follow=False, status=303)
    assert browser.last.location == f"{path}?draft={token}&kept=1"
    assert draft(web).answers["word"] == "hello"


def test_once_the_session_has_ended_the_order_still_holds(web, cast):
    browser = web.browser(cast.requester)
    token = begin(browser)
    save(browser, token, 2)
    web.end_sessions()
    assert save(browser, token, 1, word="hel", status=204) == ""
    assert draft(web).answers["word"] == "hello"
    assert save(browser, token, 3, word="hello you").startswith("Kept.")
    assert draft(web).answers["word"] == "hello you"


def test_a_page_whose_form_became_a_request_is_told_so(web, cast, shelves):
    browser = web.browser(cast.requester)
    token = begin(browser)
    reviewed = send(browser, token, 2)
    submit(browser, token, shelves.version_id, reviewed)
    assert "was sent already" in save(browser, token, 3, word="more", status=409)
    assert draft(web).answers["word"] == "hello"


@pytest.mark.parametrize(
    "written",
    ["", "1", f"{PAGE}.0", f"{PAGE}.-1", f"{PAGE}.1.1", f"{PAGE}.１", f"{PAGE[1:]}.1", f"{PAGE}.1234567890"],  # noqa: RUF001
)
def test_a_number_that_no_page_writes_is_none(web, cast, written):
    assert read_save(f"{PAGE}.12") == Save(PAGE, 12)
    assert read_save(written) is None
    browser = web.browser(cast.requester)
    token = begin(browser)
    for word in ("one", "two"):
        browser.post(FORM + "/draft", {"_draft": token, "_save": written, **ANSWERS, "word": word})
    assert (draft(web).answers["word"], draft(web).saves) == ("two", {})


def test_of_many_pages_the_latest_are_remembered(shelves, cast):
    token = new_token(cast.requester, KEY)

    def keep_word(page: int, number: int) -> None:
        with shelves.db.transaction() as session:
            version = session.get_one(OfferingVersion, shelves.version_id)
            made = Save(f"{page:016x}", number)
            keep(session, token, version, {"word": f"{page}.{number}"}, key=KEY, save=made, by_itself=True)

    for page in range(MOST_PAGES):
        keep_word(page, 5)
    keep_word(0, 6)
    keep_word(MOST_PAGES, 5)  # and page 1, which saved longest ago, is forgotten
    for page in (0, *range(2, MOST_PAGES + 1)):
        with pytest.raises(Overtaken):
            keep_word(page, 5)
    keep_word(1, 5)
    with shelves.db.reading() as session:
        kept = session.scalars(select(Draft)).one()
        assert len(kept.saves) == MOST_PAGES
        assert kept.answers == {"word": "1.5"}


def test_of_many_first_saves_at_once_the_latest_stays(shelves, cast):
    token = new_token(cast.requester, KEY)

    def keep_word(number: int) -> None:
        with suppress(Overtaken), shelves.db.transaction() as session:
            version = session.get_one(OfferingVersion, shelves.version_id)
            word = {"word": str(number)}
            keep(session, token, version, word, key=KEY, save=Save(PAGE, number), by_itself=True)

    threads = [threading.Thread(target=keep_word, args=(number,)) for number in (3, 1, 6, 2, 5, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shelves.db.reading() as session:
        assert session.scalars(select(Draft)).one().answers == {"word": "6"}
