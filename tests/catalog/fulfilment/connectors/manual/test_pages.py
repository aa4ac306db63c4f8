"""The pages of manual work as members of the group use them."""

from __future__ import annotations

import io

import pytest

from catalog.attachments.model import Attachment
from catalog.fulfilment.connectors.manual.model import ManualState
from catalog.requests.states import State
from tests.catalog.attachments.test_kinds import PDF, PNG
from tests.catalog.requests.conftest import Browser, Web

pytestmark = pytest.mark.on_sqlite


def browser(hands, person) -> Browser:
    client = hands.app.test_client()
    client.set_cookie("countersign", hands.token(person))
    return Browser(client, hands.portal.settings.public_url)


def proof(content: bytes = PNG, name: str = "screen.png"):
    return (io.BytesIO(content), name)


def test_a_member_finds_it_does_it_and_the_request_goes_on(hands, cast):
    request_id = hands.handed_over(cast)
    page = browser(hands, cast.owner)
    listed = page.get("/work")
    assert "Make a badge for Rosa" in listed
    assert "Tasks" in listed
    shown = page.get("/work/1")
    for text in (
        "second floor",
        "Check the papers",
        "What was approved",
        hands.request(request_id).seal[:20],
    ):
        assert text in shown
    page.post("/work/1/take")
    kept = page.post("/work/1", {"items": ["1", "9" * 5000], "_do": "save"})
    assert "What you filled in is kept." in kept
    assert 'value="1" checked' in kept
    assert 'value="2" checked' not in kept
    missing = page.post("/work/1", {"items": ["1", "2"], "_do": "done", "note": "Typed."}, status=422)
    assert "“Hand it over” is not ticked" in missing
    assert "Typed." in missing
    assert "Error: " in missing
    page.post("/work/1", {"items": ["1", "2", "3"], "_do": "done", "note": "Card 7.", "proof": proof()})
    assert page.path == "/work"
    hands.work()
    assert hands.request(request_id).state is State.FULFILLED
    assert "Nothing to do by hand" in page.get("/work")
    closed = page.get("/work/1")
    assert "Recorded by Olga Owner" in closed
    assert "Download screen.png" in closed


def test_the_proof_is_kept_by_digest_and_read_back(hands, cast):
    hands.handed_over(cast)
    page = browser(hands, cast.owner)
    page.get("/work/1")
    page.post(
        "/work/1", {"items": ["1", "2", "3"], "_do": "done", "proof": [proof(), proof(PDF, "../form.pdf")]}
    )
    hands.work()
    files = [row for row in hands.rows(Attachment) if row.part == "task:1"]
    assert [file.name for file in files] == ["screen.png", "form.pdf"]
    read = hands.steps()[0].read_back
    assert read["facts"]["proof"] == [file.digest for file in files]
    answer = page.client.get(f"/work/1/attachments/{files[1].id}")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.mimetype == "application/octet-stream"
    # The requester sees the proof of what was done for them.
    theirs = browser(hands, cast.requester)
    assert theirs.client.get(f"/requests/SR-000001/attachments/{files[0].id}").data == PNG
    assert hands.tags().count("attachment:fetched") == 2


def test_proof_that_is_not_what_it_says_stops_the_record_and_says_so(hands, cast):
    hands.handed_over(cast)
    page = browser(hands, cast.owner)
    page.get("/work/1")
    said = page.post(
        "/work/1",
        {"items": ["1", "2", "3"], "_do": "done", "proof": proof(b"MZ\x90\x00", "screen.png")},
        status=422,
    )
    assert "holds a Windows program" in said
    assert hands.tasks()[0].state is ManualState.OPEN
    assert 'value="3" checked' in said


def test_others_get_404_and_no_entry_in_the_navigation(hands, cast):
    hands.handed_over(cast)
    for person in (cast.requester, cast.outsider, cast.operator):
        page = browser(hands, person)
        assert "Nothing to do by hand" in page.get("/work")
        assert 'href="/work"' not in page.get("/entitlements")
        for path in ("/work/1", "/work/1/attachments/1"):
            page.get(path, status=404)
        for path in ("", "/take", "/give-back", "/impossible"):
            page.post(f"/work/1{path}", {"why_not": "Because of it."}, status=404)


def test_it_cannot_be_done_needs_a_reason_and_tells_the_requester(hands, cast):
    request_id = hands.handed_over(cast)
    page = browser(hands, cast.owner)
    page.get("/work/1")
    assert "Write why this cannot be done" in page.post("/work/1/impossible", {"why_not": "no"}, status=422)
    page.post("/work/1/impossible", {"why_not": "{{7*7}} the printer <b>broke</b>"})
    hands.work()
    assert "{{7*7}} the printer <b>broke</b>" in hands.request(request_id).outcome
    assert "&lt;b&gt;broke" in browser(hands, cast.requester).get("/requests/SR-000001")
    assert cast.requester in hands.mailed("request_failed")


def test_the_pages_read_little_however_many_tasks_there_are(hands, cast):
    page = browser(hands, cast.owner)
    counter = Web(hands.portal, hands.app)
    hands.handed_over(cast)
    page.get("/work")
    one = counter.counting(lambda: page.get("/work"))
    for _ in range(4):
        hands.handed_over(cast)
    many = counter.counting(lambda: page.get("/work"))
    assert len(many) == len(one) <= 8
    assert len(counter.counting(lambda: page.get("/work/1"))) <= 8
