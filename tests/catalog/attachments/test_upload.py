"""Files in a form: uploaded, kept with the draft, sealed with the request, given out to those who may see it."""

from __future__ import annotations

import gc
import io
import json
import re
from datetime import timedelta
from functools import partial
from html import unescape

import pytest
from sqlalchemy import delete

from catalog.attachments.model import Attachment
from catalog.attachments.store import digest_of
from catalog.attachments.sweep import SWEEP, sweep_attachments
from catalog.requests.model import Draft, Request
from catalog.requests.states import State
from portal.jobs import Workshop, enqueue, run_due
from tests.catalog.attachments.test_kinds import PDF, PNG
from tests.catalog.fulfilment.connectors.manual.test_pages import browser

pytestmark = pytest.mark.on_sqlite

FORM = "/catalogue/badge/request"
FILES = "/catalogue/badge/request/files"
ANSWERS = {"word": "Rosa", "reason": "To get in."}
#: Werkzeug's test client writes a large body to a temporary file and leaves it to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


def file(content: bytes = PDF, name: str = "paper.pdf"):
    return (io.BytesIO(content), name)


def token_in(page: str) -> str:
    return re.search(r'name="_draft" value="([^"]+)"', page)[1]


def kept_in(page: str) -> list[str]:
    return [unescape(value) for value in re.findall(r'name="papers" value="([^"]+)" checked', page)]


def uploaded(hands, person, *files):
    page = browser(hands, person)
    token = token_in(page.get(FORM))
    return (
        page,
        token,
        page.post(FILES, {"_draft": token, **ANSWERS, "papers_file": list(files), "_do": "upload"}),
    )


def ask(hands, cast, *files):
    """A request with these files, prepared."""
    page, token, shown = uploaded(hands, cast.requester, *files)
    page.post(FILES, {"_draft": token, **ANSWERS, "papers": kept_in(shown)})
    page.post(f"/drafts/{token}/submit", {"version": hands.version_id})
    hands.work()
    return page


def test_from_the_form_to_the_seal(hands, cast):
    page, token, shown = uploaded(hands, cast.requester, file(), file(PNG, "pictures/door.png"))
    assert kept_in(shown) == [f"paper.pdf ({digest_of(PDF)})", f"door.png ({digest_of(PNG)})"]
    assert 'value="Rosa"' in shown
    review = page.post(FILES, {"_draft": token, **ANSWERS, "papers": kept_in(shown)})
    assert f"paper.pdf ({digest_of(PDF)})" in review
    page.post(f"/drafts/{token}/submit", {"version": hands.version_id})
    assert page.path == "/requests/SR-000001"
    hands.work()
    found = hands.request(1)
    assert found.state is State.PENDING
    assert found.answers["papers"] == kept_in(shown)
    sealed = found.seal
    added = [json.loads(body) for body in hands.bodies("attachment:added")]
    assert [entry["facts"]["digest"] for entry in added] == [digest_of(PDF), digest_of(PNG)]
    assert all(entry["subject"] == "request:SR-000001" for entry in added)
    assert "paper.pdf" not in "".join(hands.bodies("attachment:added"))
    from catalog.requests.seal import seal

    with hands.portal.db.reading() as session:
        request = session.get_one(Request, 1)
        assert seal(request) == sealed
        request.answers = {**request.answers, "papers": [f"paper.pdf ({digest_of(PNG)})"]}
        assert seal(request) != sealed
        session.rollback()


def test_files_come_with_continue_too(hands, cast):
    page = browser(hands, cast.requester)
    token = token_in(page.get(FORM))
    review = page.post(FILES, {"_draft": token, **ANSWERS, "papers_file": file()})
    assert page.path == f"/drafts/{token}/review"
    assert digest_of(PDF) in review


def test_a_file_that_was_unticked_is_not_asked_for(hands, cast):
    page, token, shown = uploaded(hands, cast.requester, file(), file(PNG, "door.png"))
    review = page.post(FILES, {"_draft": token, **ANSWERS, "papers": kept_in(shown)[:1]})
    assert digest_of(PDF) in review
    assert digest_of(PNG) not in review


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ((b"MZ\x90", "paper.pdf"), "holds a Windows program"),
        ((b"a,b", "table.csv"), "is not of a kind that is taken here"),
        ((b"", "paper.pdf"), "is empty"),
    ],
)
def test_a_file_that_cannot_be_taken_is_said_at_its_field_and_nothing_else_is_lost(hands, cast, sent, said):
    page = browser(hands, cast.requester)
    token = token_in(page.get(FORM))
    shown = page.post(
        FILES, {"_draft": token, **ANSWERS, "papers_file": [file(), file(*sent)], "_do": "upload"}, status=422
    )
    assert said in shown
    assert 'id="papers-error"' in shown
    assert kept_in(shown) == [f"paper.pdf ({digest_of(PDF)})"]


@pytest.mark.on_sqlite
def test_more_files_than_the_field_takes_are_refused(hands, cast):
    page = browser(hands, cast.requester)
    token = token_in(page.get(FORM))
    three = [file(), file(PNG, "a.png"), file(b"text", "b.txt")]
    shown = page.post(FILES, {"_draft": token, **ANSWERS, "papers_file": three}, status=422)
    assert "These are 3 files; at most 2 fit here." in shown


@pytest.mark.on_sqlite
def test_a_large_file_is_taken_where_files_are_and_nowhere_else(hands, cast):
    large = PDF[:9] + b"%" + b"x" * (3 * 1024 * 1024) + PDF[9:]
    page, _, shown = uploaded(hands, cast.requester, file(large, "large.pdf"))
    assert kept_in(shown) == [f"large.pdf ({digest_of(large)})"]
    token = token_in(page.get(FORM))
    page.post(FORM, {"_draft": token, **ANSWERS, "papers_file": file(large)}, status=413)
    page.post(FILES, {"_draft": token, **ANSWERS, "reason": "x" * (2 * 1024 * 1024)}, status=413)


@pytest.mark.on_sqlite
def test_a_file_over_the_limit_is_refused(hands, cast):
    over = PDF[:9] + b"%" + b"x" * (10 * 1024 * 1024) + PDF[9:]
    page = browser(hands, cast.requester)
    token = token_in(page.get(FORM))
    shown = page.post(
        FILES, {"_draft": token, **ANSWERS, "papers_file": file(over), "_do": "upload"}, status=422
    )
    assert "is larger than 10 MiB" in shown


@pytest.mark.on_sqlite
def test_naming_anothers_file_by_its_digest_gives_nothing(hands, cast):
    uploaded(hands, cast.manager, file())
    page = browser(hands, cast.requester)
    token = token_in(page.get(FORM))
    shown = page.post(
        FILES, {"_draft": token, **ANSWERS, "papers": [f"paper.pdf ({digest_of(PDF)})"]}, status=422
    )
    assert "is not there any more" in shown


def test_it_is_given_out_to_those_who_may_see_the_request_and_never_inline(hands, cast):
    ask(hands, cast, file(PDF, "Größe \u202e“x”.pdf"))
    [row] = [row for row in hands.rows(Attachment) if row.request_id]
    path = f"/requests/SR-000001/attachments/{row.id}"
    for person in (cast.requester, cast.manager, cast.auditor):
        answer = browser(hands, person).client.get(path)
        assert answer.status_code == 200
        assert answer.data == PDF
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
        assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe" in answer.headers["Content-Disposition"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.mimetype == "application/octet-stream"
    for person in (cast.outsider, cast.second_owner):
        assert browser(hands, person).client.get(path).status_code == 404
    assert hands.app.test_client().get(path).status_code == 303
    assert hands.tags().count("attachment:fetched") == 3


def test_a_file_of_another_request_is_not_reached_over_ones_own(hands, cast):
    ask(hands, cast, file())
    [row] = [row for row in hands.rows(Attachment) if row.request_id]
    other = hands.submitted(cast.outsider)
    reference = hands.request(other).reference
    assert (
        browser(hands, cast.outsider).client.get(f"/requests/{reference}/attachments/{row.id}").status_code
        == 404
    )


@pytest.mark.on_sqlite
def test_a_draft_belongs_to_the_drafter_alone(hands, cast):
    uploaded(hands, cast.requester, file())
    [row] = hands.rows(Attachment)
    assert row.request_id is None
    for person in (cast.requester, cast.auditor):
        assert (
            browser(hands, person).client.get(f"/requests/SR-000001/attachments/{row.id}").status_code == 404
        )


def test_editing_keeps_the_files_and_takes_new_ones(hands, cast):
    page = ask(hands, cast, file())
    shown = page.get("/requests/SR-000001/edit")
    assert kept_in(shown) == [f"paper.pdf ({digest_of(PDF)})"]
    page.post(
        "/requests/SR-000001/edit",
        {**ANSWERS, "papers": kept_in(shown), "papers_file": file(PNG, "door.png")},
    )
    hands.work()
    assert len(hands.request(1).answers["papers"]) == 2
    assert hands.tags().count("attachment:added") == 2


def sweep(hands):
    with hands.portal.db.transaction() as session:
        enqueue(session, SWEEP, {})
    run_due(
        Workshop(
            hands.portal.db,
            hands.portal.settings,
            {SWEEP: partial(sweep_attachments, store=hands.portal.store), "send_mail": lambda job: None},
        )
    )


def test_what_nobody_names_is_swept_after_its_days_and_what_is_named_stays(hands, cast, clock):
    ask(hands, cast, file())
    uploaded(hands, cast.requester, file(PNG, "door.png"))
    store = hands.portal.store
    clock.pass_time(days=31)
    sweep(hands)
    assert (
        len([row for row in hands.rows(Attachment) if row.digest == digest_of(PNG)]) == 1
    )  # a draft names it
    with hands.portal.db.transaction() as session:
        session.execute(delete(Draft).where(Draft.request_id.is_(None)))
    sweep(hands)
    assert {row.digest for row in hands.rows(Attachment)} == {digest_of(PDF)}
    assert store.get(digest_of(PDF)) == PDF


def test_contents_without_a_row_are_deleted_once_they_are_old(hands, cast, clock):
    store = hands.portal.store
    digest = store.put(b"nobody's")
    sweep(hands)
    assert store.get(digest) == b"nobody's"
    clock.time = clock.time + timedelta(days=365 * 50)
    sweep(hands)
    assert digest not in set(store.older_than(clock.time))


def test_an_assets_owner_decides_and_its_criticality_weighs(hands, cast):
    request_id = hands.submitted(cast.requester, door="Payroll (APP-2)")
    hands.work()
    found = hands.request(request_id)
    assert found.answers["door"]["id"] == "APP-2"
    assert found.answers["door"]["criticality"] == "critical"
    assert found.risk["level"] == "high"
    assert [stage["approvers"][0]["rule"] for stage in found.route] == [
        "line-manager:beneficiary",
        "asset-owner:APP-2",
    ]
    page = browser(hands, cast.requester).get("/requests/SR-000001")
    assert "Payroll (APP-2), owned by olga.owner" in page
    other = hands.submitted(cast.requester, door="app-1", word="Two")
    hands.work()
    assert hands.request(other).route[1]["approvers"][0]["rule"] == "asset-owner:APP-1"


@pytest.mark.on_sqlite
def test_an_asset_is_suggested_and_a_wrong_one_is_said_at_its_field(hands, cast):
    page = browser(hands, cast.requester)
    shown = page.get(FORM)
    assert '<option value="Payroll (APP-2)">' in shown
    assert "SRV-1" not in shown
    token = token_in(shown)
    for typed, said in (("Payrol", "Did you mean Payroll?"), ("SRV-1", "choose one of application")):
        assert said in page.post(FILES, {"_draft": token, **ANSWERS, "door": typed}, status=422)


def test_the_requests_page_leads_to_its_files_for_the_approver_too(hands, cast):
    ask(hands, cast, file())
    [row] = [row for row in hands.rows(Attachment) if row.request_id]
    link = f'href="/requests/SR-000001/attachments/{row.id}"'
    assert link in browser(hands, cast.requester).get("/requests/SR-000001")
    approver = browser(hands, cast.manager)
    assert 'href="/requests/SR-000001"' in approver.get("/approvals/SR-000001")
    assert link in approver.get("/requests/SR-000001")
