"""The pages of catalogue owners: nothing typed is lost, problems have places, two people publish."""

from __future__ import annotations

import re
from functools import partial

import html5lib
import pytest

from approvals.routing.book import RouteBook
from catalog.offerings.publish import publish
from catalog.versions import replaying
from portal.jobs import Workshop, run_due
from tests.approvals.conftest import Web
from tests.approvals.conftest import web as _web
from tests.catalog.offerings.conftest import SMALL
from tests.catalog.versions.conftest import let_into, statements

pytestmark = pytest.mark.on_sqlite

web = pytest.fixture(_web.__wrapped__ if hasattr(_web, "__wrapped__") else _web)


@pytest.fixture
def owners(web: Web):
    """The portal with version 1 in force; gives a browser of the author and one of the publisher."""
    cast = web.story.cast
    let_into(web.portal.db, cast.second_owner, "catalogue-owners")
    with web.portal.db.transaction() as session:
        publish(session, actor(web, cast.operator), SMALL, "small.yaml")
    return web.browser(cast.operator), web.browser(cast.second_owner)


def actor(web: Web, person: int):
    from portal.identity.actor import Actor

    return Actor(name="Publisher", person_id=person)


def send(browser, form_path: str, path: str, **fields):
    """Post the fields with the token of the page."""
    page = browser.get(form_path).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token, page
    return browser.client.post(
        path,
        data={"csrf_token": token[1], **fields},
        headers={"Origin": browser.origin},
        content_type="multipart/form-data",
    )


def words(answer) -> str:
    html5lib.HTMLParser(strict=True).parse(answer.get_data(as_text=True))
    tree = html5lib.parse(answer.get_data(as_text=True), namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def work(web: Web) -> None:
    handlers = {replaying.REPLAY: partial(replaying.carry_out, make_routes=RouteBook)}
    run_due(Workshop(web.portal.db, web.story.settings, handlers))


def test_a_version_is_written_replayed_reviewed_and_published_by_two_people(web, owners):
    author, publisher = owners
    assert "A small thing" in words(author.get("/offerings"))
    assert "Write a new version" in words(author.get("/offerings/small-thing"))
    begun = send(
        author,
        "/offerings/small-thing/new",
        "/offerings/small-thing/new",
        source=SMALL.replace("longest_days: 60", "longest_days: 50").replace("\n", "\r\n"),
    )
    assert begun.status_code == 303
    draft = begun.headers["Location"]
    assert "No problems" in words(author.get(draft))
    review = f"{draft}/review"

    mine = words(author.get(review))
    assert "The longest duration in days changes from “60” to “50”." in mine
    assert "You wrote this draft, so another catalogue owner must publish it" in mine

    assert "Replay past requests first" in words(publisher.get(review))
    assert send(publisher, review, f"{draft}/replay").status_code == 303
    waiting = publisher.get(review)
    assert "The replay waits for a worker." in words(waiting)
    work(web)
    ready = publisher.get(review)
    assert "Publish this version" in words(ready)
    assert "Which" in words(ready) or "held against version 1" in words(ready)
    fields = dict(re.findall(r'name="(digest|replay)"[^>]*value="([^"]+)"', ready.get_data(as_text=True)))
    done = send(publisher, review, f"{draft}/publish", **fields)
    assert done.headers["Location"].endswith("/offerings/small-thing")
    listed = words(publisher.get("/offerings/small-thing"))
    assert "Version 2 is in force" in listed
    assert "Oskar Operator Otto Owner" in listed
    version = words(publisher.get("/offerings/small-thing/versions/2"))
    assert "Replay that the publisher had before them" in version
    assert "held against version 1" in version
    assert "published without a replay" in words(publisher.get("/offerings/small-thing/versions/1"))
    compared = words(publisher.get("/offerings/small-thing/difference"))
    assert "Version 1 to version 2" in compared
    assert "-longest_days: 60 +longest_days: 50" in compared
    # A published draft leads nowhere but to its text.
    assert publisher.get(review).status_code == 303
    assert "Published" in words(author.get(draft))


def test_nothing_typed_is_lost_and_every_problem_stands_beside_the_text(web, owners):
    author, _ = owners
    broken = SMALL.replace("owner: crm-owners", "onwer: crm-owners") + "# <script>{{7*7}}</script>\n"
    begun = send(author, "/offerings/small-thing/new", "/offerings/small-thing/new", source=broken)
    page = author.get(begun.headers["Location"])
    text = words(page)
    assert "draft.yaml:6:1" in text
    assert "There is no key 'onwer' here; did you mean 'owner'?" in text
    assert "> 6 onwer: crm-owners" in text
    assert "It cannot be published before its problems are mended" in text
    tree = html5lib.parse(page.get_data(as_text=True), namespaceHTMLElements=False)
    (area,) = tree.iter("textarea")
    assert "".join(area.itertext()).strip() == broken.strip()
    assert "<script>{{7" not in page.get_data(as_text=True)
    assert author.get(f"{begun.headers['Location']}/review").status_code == 303


def test_a_file_is_taken_instead_of_the_text_and_one_that_is_none_is_refused_at_its_field(web, owners):
    from io import BytesIO

    author, _ = owners
    where = "/offerings/small-thing/new"
    begun = send(author, where, where, source="typed", file=(BytesIO(SMALL.encode()), "small.yaml"))
    assert "No problems" in words(author.get(begun.headers["Location"]))
    refused = send(author, where, where, source="what I typed", file=(BytesIO(b"\xff\xfe\x00"), "x.yaml"))
    assert refused.status_code == 422
    assert "not UTF-8 text" in words(refused)
    assert "what I typed" in words(refused)
    empty = send(author, where, where, source=" ")
    assert empty.status_code == 422
    assert "Write the offering" in words(empty)


def test_another_owner_reads_a_draft_and_cannot_change_it(web, owners):
    author, publisher = owners
    where = "/offerings/small-thing/new"
    draft = send(author, where, where, source=SMALL).headers["Location"]
    page = publisher.get(draft)
    assert "Only its author changes a draft" in words(page)
    assert "<textarea" not in page.get_data(as_text=True)
    assert send(publisher, where, draft, source="x: 1").status_code == 403
    assert send(publisher, where, f"{draft}/discard").status_code == 403
    assert send(author, draft, f"{draft}/discard").status_code == 303
    assert "Discarded" in words(author.get(draft))


def test_the_pages_are_for_catalogue_owners(web, owners):
    author, _ = owners
    where = "/offerings/small-thing/new"
    draft = send(author, where, where, source=SMALL).headers["Location"]
    for person in (web.story.cast.requester, web.story.cast.auditor, web.story.cast.security):
        browser = web.browser(person)
        for path in ("/offerings", "/offerings/small-thing", where, draft, f"{draft}/review"):
            assert browser.get(path).status_code == 403, path
        assert "/offerings" not in re.findall(
            r'href="([^"]+)"', browser.get("/catalogue").get_data(as_text=True)
        )


@pytest.mark.parametrize(
    "path",
    [
        "/offerings/unheard-of",
        "/offerings/unheard-of/new",
        "/offerings/small-thing/versions/9",
        "/offerings/small-thing/difference?before=7",
        "/offerings/unheard-of/difference",
        "/offerings/drafts/9",
        "/offerings/drafts/9/review",
    ],
)
def test_what_is_not_there_is_not_found(web, owners, path):
    browser, _ = owners
    page, _, query = path.partition("?")
    answer = browser.get(page, **dict(pair.split("=") for pair in query.split("&") if pair))
    assert answer.status_code == 404


def test_the_pages_take_at_most_eight_statements_whatever_there_is(web, owners):
    author, publisher = owners
    where = "/offerings/small-thing/new"
    draft = send(author, where, where, source=SMALL.replace("target: 2d", "target: 3d")).headers["Location"]
    send(publisher, f"{draft}/review", f"{draft}/replay")
    work(web)
    paths = (
        "/offerings",
        "/offerings/small-thing",
        where,
        draft,
        f"{draft}/review",
        "/offerings/small-thing/versions/1",
        "/offerings/small-thing/difference",
    )

    def counted():
        counts = {}
        for path in paths:
            with statements(web.portal.db) as seen:
                assert publisher.get(path).status_code == 200
            counts[path] = len([one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))])
        return counts

    few = counted()
    assert max(few.values()) <= 8, few
    for number in range(6):
        text = SMALL.replace("target: 2d", f"target: {number + 4}d")
        send(author, where, where, source=text)
        with web.portal.db.transaction() as session:
            publish(session, actor(web, web.story.cast.operator), text, "a.yaml")
    assert counted() == few
