"""The decision card, as a browser without JavaScript uses it."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import event, select

from approvals.decisions.model import Decision, Verdict
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.states import State
from portal.identity.model import Group, Membership, Person
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Web

pytestmark = pytest.mark.on_sqlite

CARD = "/approvals/SR-000001"
HIGH = {"level": "high", "score": 60, "reasons": [{"points": 60, "because": "It reaches money"}]}


def decisions(web: Web) -> list[Decision]:
    with web.portal.db.reading() as session:
        return list(session.scalars(select(Decision)))


def text_of(page: str) -> str:
    return " ".join(" ".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())


def test_the_card_says_all_that_is_needed_to_decide(web: Web) -> None:
    web.story.planned(MANAGER_STAGE, OWNER_STAGE, risk=HIGH)
    answer = web.browser(web.story.cast.manager).get(CARD)
    assert answer.status_code == 200
    page = text_of(answer.get_data(as_text=True))
    for expected in (
        "SR-000001",
        "Application access: CRM: sales",
        "Rosa Requester (rosa.requester), Holding, asks for themselves.",
        "Month-end closing",
        "Rosa Requester joins sales",
        "High risk",
        "It reaches money",
        "What Rosa Requester has already (0)",
        "Who decides, and who has agreed so far (nobody yet)",
        "Decide by",
        "If you deny it, nothing is changed.",
        "Your sign-in just now is your signature.",
        "version 1",
        "Approve",
        "Deny",
    ):
        assert expected in page
    assert web.story.see(1).seal in page


def test_approving_is_one_press(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    answer = browser.press(CARD, "approve")
    assert (answer.status_code, answer.location) == (303, CARD)
    assert web.story.see(1).state is State.SCHEDULED
    page = browser.get(CARD).get_data(as_text=True)
    assert "You approved SR-000001." in page
    assert "You have approved it. A decision cannot be taken back." in page
    assert 'value="approve"' not in page


def test_denying_without_a_reason_says_so_at_the_field_and_keeps_the_page(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser(web.story.cast.manager).press(CARD, "deny")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert page.count("Write why you deny it; the requester reads this.") == 2
    assert 'href="#comment"' in page
    assert "<title>Error: " in page
    assert decisions(web) == []


def test_denying_with_a_reason_rejects(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser(web.story.cast.manager).press(CARD, "deny", comment="Not this quarter")
    assert answer.status_code == 303
    assert web.story.see(1).state is State.REJECTED
    assert decisions(web)[0].comment == "Not this quarter"


def test_an_old_sign_in_is_sent_to_sign_in_again_and_the_comment_is_kept(web: Web) -> None:
    web.story.planned({**MANAGER_STAGE, "acr": "urn:strong"}, risk=HIGH)
    browser = web.browser(web.story.cast.manager, minutes=6)
    assert "sign in again first" in text_of(browser.get(CARD).get_data(as_text=True))
    answer = browser.press(CARD, "approve", comment="Agreed <b>with</b> Ada & co")
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in/again?")
    assert "max_age=300" in answer.location
    assert "acr=urn:strong" in answer.location.replace("%3A", ":")
    assert "next=/approvals/SR-000001" in answer.location.replace("%2F", "/")
    assert "Agreed" not in answer.location
    assert decisions(web) == []
    fields = browser.form(CARD)
    assert fields["comment"] == "Agreed <b>with</b> Ada & co"
    assert "Press Approve once more" in text_of(browser.get(CARD).get_data(as_text=True))
    assert decisions(web) == [], "coming back decides nothing by itself"


def test_after_signing_in_again_the_person_presses_once_more(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager, minutes=16)
    browser.press(CARD, "approve", comment="Agreed")
    kept = browser.form(CARD)["comment"]
    fresh = web.browser(web.story.cast.manager)
    assert fresh.press(CARD, "approve", comment=kept).status_code == 303
    assert decisions(web)[0].comment == "Agreed"


def test_a_kept_comment_shows_on_its_own_request_only(web: Web) -> None:
    version = web.story.offer(MANAGER_STAGE)
    for _ in range(2):
        web.story.plan(web.story.request(version))
    browser = web.browser(web.story.cast.manager, minutes=16)
    browser.press(CARD, "deny", comment="For the first one")
    assert browser.form("/approvals/SR-000002")["comment"] == ""
    assert browser.form(CARD)["comment"] == "For the first one"


def test_another_seal_shows_what_changed_and_keeps_the_comment(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    seen = browser.form(CARD)["seal"]
    with web.portal.db.transaction() as session:
        request = get_locked(session, 1)
        request.answers = {**request.answers, "role": "administrator"}
        request.revision = 2
    web.story.plan(1)
    answer = browser.press(CARD, "approve", comment="Looks fine", seal=seen)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "Nothing was decided" in page
    assert "The answer role was “sales” and is now “administrator”." in page
    assert "Looks fine" in page
    assert web.story.see(1).seal in page, "the card that is shown is the one that stands now"
    assert decisions(web) == []


def test_a_second_press_is_a_conflict_and_not_a_second_decision(web: Web) -> None:
    web.story.planned({**OWNER_STAGE, "quorum": 2})
    browser = web.browser(web.story.cast.owner)
    fields = {**browser.form(CARD), "decision": "approve"}
    answers = [
        browser.client.post(f"{CARD}/decision", data=fields, headers={"Origin": browser.origin}).status_code
        for _ in range(2)
    ]
    assert answers == [303, 409]
    assert len(decisions(web)) == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"csrf_token": ""}, 400),
        ({"csrf_token": "forged"}, 400),
        ({"decision": "maybe"}, 400),
        ({"decision": ""}, 400),
        ({"stage": "2"}, 400),
        ({"seal": "sha256:forged"}, 409),
    ],
)
def test_a_form_that_is_not_the_pages_own_decides_nothing(
    web: Web, changed: dict[str, str], status: int
) -> None:
    web.story.planned(MANAGER_STAGE)
    answer = web.browser(web.story.cast.manager).press(CARD, "approve", **changed)
    assert answer.status_code == status
    assert decisions(web) == []


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
def test_deciding_checks_where_the_form_came_from(web: Web, origin: str) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    browser.origin = origin
    assert browser.press(CARD, "approve").status_code == 403
    assert decisions(web) == []


@pytest.mark.parametrize("method", ["get", "head"])
def test_get_and_head_decide_nothing(web: Web, method: str) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    for path in (CARD, f"{CARD}?decision=approve", f"{CARD}/decision", f"{CARD}/decision?decision=approve"):
        getattr(browser.client, method)(path)
    assert decisions(web) == []


@pytest.mark.parametrize("person", ["outsider", "requester", "owner"])
def test_whoever_was_not_asked_is_told_that_there_is_no_such_request(web: Web, person: str) -> None:
    web.story.planned(MANAGER_STAGE, OWNER_STAGE)
    browser = web.browser(web.story.cast.ids[person])
    assert browser.get(CARD).status_code == 404
    assert browser.get("/approvals/SR-000099").status_code == 404
    token = web.browser(web.story.cast.manager).form(CARD)
    for reference in ("SR-000001", "SR-000099"):
        answer = browser.client.post(
            f"/approvals/{reference}/decision",
            data={**token, "decision": "approve"},
            headers={"Origin": browser.origin},
        )
        assert answer.status_code in {400, 404}
    assert decisions(web) == []


def test_whoever_lost_the_right_sees_the_card_read_only(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    browser = web.browser(web.story.cast.owner)
    fields = {**browser.form(CARD), "decision": "approve"}
    with web.portal.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.delete(session.get_one(Membership, (group.id, web.story.cast.owner)))
    page = browser.get(CARD)
    assert "You are no longer one of the people who decide this" in page.get_data(as_text=True)
    assert 'value="approve"' not in page.get_data(as_text=True)
    answer = browser.client.post(f"{CARD}/decision", data=fields, headers={"Origin": browser.origin})
    assert answer.status_code == 403
    assert decisions(web) == []


def test_once_approved_an_approver_may_still_deny_until_fulfilment_starts(web: Web) -> None:
    web.story.planned(OWNER_STAGE)
    web.browser(web.story.cast.owner).press(CARD, "approve")
    browser = web.browser(web.story.cast.second_owner)
    page = browser.get(CARD).get_data(as_text=True)
    assert "Your denial still stops it" in page
    assert 'value="approve"' not in page
    assert browser.press(CARD, "deny", comment="Wait").status_code == 303
    assert web.story.see(1).state is State.REJECTED


def test_text_is_text_on_the_card(web: Web) -> None:
    hostile = "{{711*713}} {0.__class__} <img src=x onerror=alert(1)>"
    web.story.planned(MANAGER_STAGE, answers={"role": hostile, "reason": hostile})
    with web.portal.db.transaction() as session:
        request = session.get_one(Request, 1)
        request.title = hostile
        request.reason = hostile
    page = web.browser(web.story.cast.manager).get(CARD).get_data(as_text=True)
    assert "<img src=x" not in page
    assert "506943" not in page
    assert "{{711*713}} {0.__class__}" in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 2


def test_a_look_alike_of_an_existing_name_is_flagged_beside_the_stable_id(web: Web) -> None:
    with web.portal.db.transaction() as session:
        session.get_one(Person, web.story.cast.outsider).name = "R\u043esa Requester"
    web.story.planned(MANAGER_STAGE)
    page = text_of(web.browser(web.story.cast.manager).get(CARD).get_data(as_text=True))
    assert "Rosa Requester (rosa.requester) is easily taken for R\u043esa Requester (ola.outsider)" in page


def test_what_is_already_true_is_said_before_approving(web: Web) -> None:
    request_id = web.story.request(web.story.offer(MANAGER_STAGE))
    with web.portal.db.transaction() as session:
        request = session.get_one(Request, request_id)
        request.plans = [
            {**request.plans[0], "already_true": True, "warnings": ["The role is held until May"]}
        ]
    web.story.plan(request_id)
    page = text_of(web.browser(web.story.cast.manager).get(CARD).get_data(as_text=True))
    assert "CRM is already as this request wants it" in page
    assert "The role is held until May" in page


def test_the_page_is_whole_html5(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    page = web.browser(web.story.cast.manager).get(CARD).get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parse(page)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_card_takes_at_most_eight_statements(web: Web, verdict: Verdict) -> None:
    web.story.planned(MANAGER_STAGE, OWNER_STAGE)
    web.browser(web.story.cast.manager).press(CARD, "approve")
    statements: list[str] = []
    event.listen(web.portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for person in ("manager", "owner"):
        browser = web.browser(web.story.cast.ids[person])
        statements.clear()
        assert browser.get(CARD).status_code == 200
        read = [statement for statement in statements if statement.startswith("SELECT")]
        assert 5 < len(read) <= 8, "\n".join(read)
