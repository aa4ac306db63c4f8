"""Forms that begin with answers: a link, a request ordered again, a favourite. Nothing is submitted by any of them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.ordering.model import Favourite
from catalog.requests.model import Draft, Request

FORM = "/catalogue/words-on-shelves/request"


def rows(web, kind):
    with web.portal.db.reading() as session:
        return session.scalars(select(kind)).all()


@pytest.mark.on_sqlite
def test_a_link_fills_fields_in_and_submits_nothing(web, cast):
    page = web.browser(cast.requester).get(
        f"{FORM}?word=hello&reason=To+be+read&person=milo.manager&nonsense=1"
    )
    assert 'value="hello"' in page
    assert "To be read" in page
    assert 'value="milo.manager"' in page
    assert 'name="nonsense"' not in page
    assert rows(web, Draft) == []
    assert rows(web, Request) == []


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "value", ["%3Cimg+src%3Dx%3E", "%7B%7B7*7%7D%7D", "%3Dcmd()", "a%00b", "%E2%80%AEevil", "x" * 5000]
)
def test_what_a_link_brings_is_text_like_any_other(web, cast, value):
    page = web.browser(cast.requester).get(f"{FORM}?word={value}")
    assert "<img src=x>" not in page
    assert "\u202e" not in page
    assert "x" * 5000 not in page
    assert "\x00" not in page


@pytest.mark.on_sqlite
def test_a_prefilled_answer_is_checked_like_a_typed_one(web, cast):
    browser = web.browser(cast.requester)
    page = browser.get(f"{FORM}?word={'w' * 30}")
    token = page.split('name="_draft" value="')[1].split('"')[0]
    page = browser.post(FORM, {"_draft": token, "word": "w" * 30, "reason": "To be read."}, status=422)
    assert "at most 20 fit" in page


@pytest.mark.on_sqlite
def test_ordered_again_the_form_holds_the_same_answers_but_no_day_that_is_over(
    web, cast, shelves, actor_of, clock
):
    shelves.prepared(actor_of(cast.requester), word="hello", until="2026-11-19")
    browser = web.browser(cast.requester)
    assert "request?like=SR-000001" in browser.get("/requests/SR-000001")
    page = browser.get(f"{FORM}?like=SR-000001")
    assert 'value="hello"' in page
    assert 'value="2026-11-19"' in page
    clock.pass_time(days=5)
    later = web.browser(cast.requester)
    page = later.get(f"{FORM}?like=SR-000001")
    assert 'value="hello"' in page
    assert "2026-11-19" not in page
    assert len(rows(web, Request)) == 1


@pytest.mark.on_sqlite
def test_another_persons_request_and_favourite_begin_nothing(web, cast, shelves, actor_of):
    shelves.prepared(actor_of(cast.requester), word="secret")
    browser = web.browser(cast.requester)
    page = browser.get(f"{FORM}?word=secret&reason=To+be+read")
    token = page.split('name="_draft" value="')[1].split('"')[0]
    browser.post(FORM, {"_draft": token, "word": "secret", "reason": "To be read."})
    browser.post(f"/drafts/{token}/favourite", {"name": "Mine"})
    (favourite,) = rows(web, Favourite)
    stranger = web.browser(cast.outsider)
    for query in ("like=SR-000001", "like=SR-999999", f"favourite={favourite.id}", "favourite=999"):
        assert "secret" not in stranger.get(f"{FORM}?{query}", status=404)
    stranger.get("/catalogue")
    stranger.get("/catalogue/words-on-shelves")
    stranger.post(f"/favourites/{favourite.id}/remove", status=404)
    assert len(rows(web, Favourite)) == 1


def test_an_offering_is_starred_and_answers_are_kept_under_a_name(web, cast):
    browser = web.browser(cast.requester)
    assert "Your favourites" not in browser.get("/catalogue")
    browser.get("/catalogue/words-on-shelves")
    for _ in range(2):
        page = browser.post("/catalogue/words-on-shelves/star")
    assert "Remove from my favourites" in page
    page = browser.get(f"{FORM}")
    token = page.split('name="_draft" value="')[1].split('"')[0]
    browser.post(FORM, {"_draft": token, "word": "hello", "reason": "To be read."})
    for name in ("", "x" * 81, "a\u202eb"):
        browser.post(f"/drafts/{token}/favourite", {"name": name})
    assert [row.name for row in rows(web, Favourite)] == [""]
    for _ in range(2):
        page = browser.post(f"/drafts/{token}/favourite", {"name": "Greeting"})
    assert "Your answers are kept among your favourites" in page
    page = browser.get("/catalogue")
    assert "Words on shelves: Greeting" in page
    saved = next(row for row in rows(web, Favourite) if row.name)
    assert 'value="hello"' in browser.get(f"{FORM}?favourite={saved.id}")
    browser.get("/catalogue")
    browser.post(f"/favourites/{saved.id}/remove")
    browser.get("/catalogue/words-on-shelves")
    browser.post("/catalogue/words-on-shelves/unstar")
    assert rows(web, Favourite) == []
