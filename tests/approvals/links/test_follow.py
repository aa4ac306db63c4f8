"""The link in a mail is a pointer and carries no authority."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from approvals.decisions.model import Decision
from approvals.links.masking import LinkFilter, mask_path
from approvals.links.model import ApprovalLink
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.identity.model import Group, Membership
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Web

pytestmark = pytest.mark.on_sqlite


def refusals(web: Web) -> list[Entry]:
    with web.portal.db.reading() as session:
        return list(session.scalars(select(Entry).where(Entry.tag == "approval:link-refused")))


def everything(web: Web) -> list[Any]:
    """All that a fetch of the link could change."""
    with web.portal.db.reading() as session:
        links = session.execute(select(ApprovalLink.id, ApprovalLink.expires_at)).all()
        entries = session.scalars(select(Entry.number)).all()
        decisions = session.scalars(select(Decision.id)).all()
    request = web.story.see(1)
    return [
        links,
        entries,
        decisions,
        request.state,
        request.baton,
        request.seal,
        web.story.stages(1)[0].state,
    ]


def test_a_link_leads_its_approver_to_the_decision_card(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser(web.story.cast.manager).get(web.link_of(web.story.cast.manager))
    assert (answer.status_code, answer.location) == (303, "/approvals/SR-000001")


def test_the_identifier_has_192_bits_and_is_stored_hashed(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    tokens = {
        web.link_of(person).removeprefix("/a/")
        for person in (web.story.cast.owner, web.story.cast.second_owner)
    }
    assert len(tokens) == 2, "each approver has a link of their own"
    with web.portal.db.reading() as session:
        kept = set(session.scalars(select(ApprovalLink.token_hash)))
    assert {len(token) for token in tokens} == {32}, "24 bytes in base64"
    assert kept == {hashlib.sha256(token.encode()).hexdigest() for token in tokens}


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("method", ["get", "head"])
def test_a_hundred_fetches_by_a_mail_scanner_cause_no_decision_and_use_nothing_up(
    web: Web, method: str, signed_in: bool
) -> None:
    web.story.planned(MANAGER_STAGE)
    link = web.link_of(web.story.cast.manager)
    browser = web.browser(web.story.cast.manager if signed_in else None)
    before = everything(web)
    answers = {getattr(browser.client, method)(link).status_code for _ in range(100)}
    assert answers == {303}
    assert everything(web) == before
    answer = web.browser(web.story.cast.manager).get(link)
    assert answer.location == "/approvals/SR-000001"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_link_itself_takes_nothing_but_get_and_head(web: Web, method: str) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    token = browser.form("/approvals/SR-000001")["csrf_token"]
    answer = getattr(browser.client, method)(
        web.link_of(web.story.cast.manager), data={"csrf_token": token}, headers={"Origin": browser.origin}
    )
    assert answer.status_code == 405


def test_not_signed_in_gives_the_sign_in_redirect_and_nothing_of_the_request(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser().get(web.link_of(web.story.cast.manager))
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?")
    page = answer.get_data(as_text=True)
    for secret in ("SR-0", "CRM", "Rosa", "Application", "approv"):
        assert secret not in page
    unknown = web.browser().get("/a/nothing-that-was-ever-given-out")
    assert unknown.status_code == answer.status_code, "whether the link exists is not told either"


def test_signed_in_as_someone_else_gives_403_and_an_audit_entry(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser(web.story.cast.outsider).get(web.link_of(web.story.cast.manager))
    assert answer.status_code == 403
    page = answer.get_data(as_text=True)
    for secret in ("SR-0", "CRM", "Rosa", "Application"):
        assert secret not in page
    (entry,) = refusals(web)
    assert entry.actor == f"person:{web.story.cast.outsider}"
    assert entry.subject == "request:SR-000001"


@pytest.mark.parametrize("person", ["requester", "owner", "auditor"])
def test_the_requester_or_an_approver_of_another_stage_is_someone_else(web: Web, person: str) -> None:
    web.story.planned(MANAGER_STAGE, OWNER_STAGE)
    answer = web.browser(web.story.cast.ids[person]).get(web.link_of(web.story.cast.manager))
    assert answer.status_code == 403
    assert len(refusals(web)) == 1


def test_an_approver_who_left_the_group_is_someone_else(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    link = web.link_of(web.story.cast.owner)
    with web.portal.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.delete(session.get_one(Membership, (group.id, web.story.cast.owner)))
    assert web.browser(web.story.cast.owner).get(link).status_code == 403


def test_trying_again_and_again_does_not_fill_the_ledger(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    link = web.link_of(web.story.cast.manager)
    browser = web.browser(web.story.cast.outsider)
    for _ in range(20):
        assert browser.get(link).status_code == 403
    assert len(refusals(web)) == 1
    web.browser(web.story.cast.auditor).get(link)
    assert len(refusals(web)) == 2, "somebody else's attempt is another entry"
    web.clock.pass_time(minutes=61)
    web.browser(web.story.cast.outsider).get(link)
    assert len(refusals(web)) == 3


def test_a_link_passed_on_to_a_fellow_approver_leads_them_to_the_card(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    answer = web.browser(web.story.cast.second_owner).get(web.link_of(web.story.cast.owner))
    assert answer.location == "/approvals/SR-000001"


def test_a_link_ends_after_seven_days_and_shows_the_request_read_only(web: Web) -> None:
    web.story.planned({**MANAGER_STAGE, "target": "20d"})
    link = web.link_of(web.story.cast.manager)
    web.clock.pass_time(days=7, seconds=-1)
    assert web.browser(web.story.cast.manager).get(link).status_code == 303
    web.clock.pass_time(seconds=1)
    answer = web.browser(web.story.cast.manager).get(link)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "This link has ended, and the request still waits for a decision." in page
    assert "/decision" not in page
    assert web.browser(web.story.cast.outsider).get(link).status_code == 403


def test_a_link_ends_with_its_stage_and_shows_the_outcome_read_only(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    link = web.link_of(web.story.cast.second_owner)
    web.browser(web.story.cast.owner).press("/approvals/SR-000001", "deny", comment="Not this quarter")
    answer = web.browser(web.story.cast.second_owner).get(link)
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "Rejected" in page
    assert "Not this quarter" in page
    assert "/decision" not in page
    assert web.story.see(1).state is State.REJECTED


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 5000, "%00", "%E2%80%AE"])
def test_an_identifier_that_was_never_given_out_leads_nowhere(web: Web, token: str) -> None:
    assert web.browser(web.story.cast.manager).get(f"/a/{token}").status_code == 404


def test_no_referrer_and_no_cache_on_any_answer(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    link = web.link_of(web.story.cast.manager)
    for browser in (web.browser(), web.browser(web.story.cast.manager), web.browser(web.story.cast.outsider)):
        answer = browser.get(link)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "http" not in answer.headers["Content-Security-Policy"].replace(
            web.portal.settings.oidc_issuer, ""
        )


def test_the_pages_behind_a_link_load_nothing_from_elsewhere(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    web.clock.pass_time(days=8)
    browser = web.browser(web.story.cast.manager)
    for path in (web.link_of(web.story.cast.manager), "/approvals/SR-000001"):
        page = browser.get(path).get_data(as_text=True)
        assert "://" not in page.replace("http://www.w3.org/2000/svg", "").replace("https://sso.test", "")


TOKEN = "Abc-DEF_ghi012345678901234567890"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (f"/a/{TOKEN}", "/a/…"),
        (f"GET /a/{TOKEN} HTTP/1.1", "GET /a/… HTTP/1.1"),
        (f"http://localhost:8000/a/{TOKEN}?x=1", "http://localhost:8000/a/…?x=1"),
        (f"/sign-in?next=/a/{TOKEN}", "/sign-in?next=/a/…"),
        (f"/sign-in?next=%2Fa%2F{TOKEN}&y=2", "/sign-in?next=%2Fa%2F…&y=2"),
        (f"/sign-in?next=%252Fa%252F{TOKEN}", "/sign-in?next=%252Fa%252F…"),
        ("/approvals/SR-000001", "/approvals/SR-000001"),
        ("/api/a", "/api/a"),
    ],
)
def test_the_identifier_is_masked_in_logs(line: str, masked: str) -> None:
    assert mask_path(line) == masked
    assert TOKEN not in mask_path(line)


def test_the_filter_masks_messages_arguments_and_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("masking")
    caplog.handler.addFilter(LinkFilter())
    try:
        log.warning("GET %s took %d ms", f"/a/{TOKEN}", 5)
        try:
            int(f"/a/{TOKEN}")
        except ValueError:
            log.exception("It broke")
    finally:
        caplog.handler.filters.clear()
    assert "GET /a/… took 5 ms" in caplog.text
    assert TOKEN not in caplog.text


def test_a_reply_to_the_mail_decides_nothing(web: Web) -> None:
    """Mails go out only: no room of the portal reads a mailbox, and the mail itself says so."""
    web.story.planned(MANAGER_STAGE)
    with web.portal.db.reading() as session:
        message = session.scalars(select(Message).where(Message.event == "approval_requested")).one()
    assert "This mail decides nothing, and neither does a reply to it." in " ".join(message.text.split())
    assert timedelta(days=web.portal.settings.link_days) == timedelta(days=7)
