"""Several requests decided at once: only those whose card was opened, each on its own seal, each with its outcome."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from approvals.decisions.model import CardOpening, Decision
from catalog.requests.moves import get_locked
from catalog.requests.states import State
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Browser, Web

pytestmark = pytest.mark.on_sqlite

HIGH = {"level": "high", "score": 60, "reasons": []}


def opened(web: Web, browser: Browser, *numbers: int) -> None:
    for number in numbers:
        assert browser.get(f"/approvals/SR-{number:06d}").status_code == 200


def boxes(browser: Browser) -> tuple[str, list[str]]:
    """The list's token and what its boxes would send."""
    page = html5lib.parse(browser.get("/approvals").get_data(as_text=True), namespaceHTMLElements=False)
    form = next((form for form in page.iter("form") if form.get("action") == "/approvals/chosen"), None)
    if form is None:
        return "", []
    inputs = list(form.iter("input"))
    token = next(field.get("value", "") for field in inputs if field.get("name") == "csrf_token")
    return token, [field.get("value", "") for field in inputs if field.get("name") == "chosen"]


def press(
    browser: Browser, token: str, chosen: list[str], decision: str = "approve", **more: str
) -> TestResponse:
    fields = {"csrf_token": token, "chosen": chosen, "decision": decision, **more}
    return browser.client.post("/approvals/chosen", data=fields, headers={"Origin": browser.origin})


def many(web: Web, count: int, *stages: dict, **more) -> None:
    version = web.story.offer(*(stages or (MANAGER_STAGE,)))
    for _ in range(count):
        web.story.plan(web.story.request(version, **more))


def test_only_requests_whose_card_was_opened_can_be_chosen(web: Web) -> None:
    many(web, 3)
    browser = web.browser(web.story.cast.manager)
    assert boxes(browser) == ("", [])
    opened(web, browser, 1, 3)
    _token, values = boxes(browser)
    assert [value.split(" ")[0] for value in values] == ["SR-000001", "SR-000003"]
    assert values[0].split(" ")[1] == web.story.see(1).seal
    other = web.browser(web.story.cast.head)
    assert boxes(other) == ("", []), "what one person opened, another has not seen"


def test_each_is_decided_on_its_own_seal_and_one_bad_one_stops_no_other(web: Web) -> None:
    many(web, 4)
    browser = web.browser(web.story.cast.manager)
    opened(web, browser, 1, 2, 3)
    token, values = boxes(browser)
    with web.portal.db.transaction() as session:
        request = get_locked(session, 2)
        request.answers = {**request.answers, "role": "administrator"}
        request.revision = 2
    web.story.plan(2)  # what was seen is no longer what stands there
    unseen = f"SR-000004 {web.story.see(4).seal}"
    sent = press(browser, token, [*values, unseen, "SR-999999 sha256:0"], comment="All agreed")
    assert (sent.status_code, sent.location) == (303, "/approvals")
    states = [web.story.see(number).state for number in (1, 2, 3, 4)]
    assert states == [State.SCHEDULED, State.PENDING, State.SCHEDULED, State.PENDING]
    page = browser.get("/approvals").get_data(as_text=True)
    outcomes = page[page.index("What became of") : page.index("Waiting for you")]
    assert outcomes.count("Approved") == 2
    assert outcomes.count("Not decided") == 3
    assert "has changed since you opened it" in outcomes
    # A request that exists and one that does not are told apart by nothing.
    assert outcomes.count("You have not opened its card as it is now.") == 2
    strange = press(browser, token, values, surprise="1")
    assert strange.status_code == 400
    assert "What became of" not in browser.get("/approvals").get_data(as_text=True), "told once"
    with web.portal.db.reading() as session:
        decided = session.scalars(select(Decision).order_by(Decision.id)).all()
    assert [(d.request_id, d.comment, d.seal) for d in decided] == [
        (number, "All agreed", web.story.see(number).seal) for number in (1, 3)
    ]


def test_denying_together_needs_a_reason(web: Web) -> None:
    many(web, 2)
    browser = web.browser(web.story.cast.manager)
    opened(web, browser, 1, 2)
    token, values = boxes(browser)
    wrong = press(browser, token, values, "deny")
    assert wrong.status_code == 422
    page = wrong.get_data(as_text=True)
    assert page.count("Write why you deny them") == 2
    assert all(value in page for value in values)
    assert press(browser, token, values, "deny", comment="Not this quarter").status_code == 303
    assert {web.story.see(number).state for number in (1, 2)} == {State.REJECTED}


def test_one_sign_in_serves_all_of_them(web: Web) -> None:
    many(web, 1)
    many(web, 2, {**OWNER_STAGE, "approvers": {"relation": "line-manager"}, "acr": "urn:strong"}, risk=HIGH)
    browser = web.browser(web.story.cast.manager, minutes=6)
    opened(web, browser, 1, 2, 3)
    token, values = boxes(browser)
    sent = press(browser, token, values, comment="Agreed")
    assert sent.status_code == 303
    assert "max_age=300" in sent.location
    assert "acr=urn:strong" in sent.location.replace("%3A", ":")
    assert "next=/approvals/chosen" in sent.location.replace("%2F", "/")
    assert {web.story.see(number).state for number in (1, 2, 3)} == {State.PENDING}
    page = browser.get("/approvals/chosen").get_data(as_text=True)
    assert "You have signed in again" in page
    assert "Agreed</textarea>" in page
    fresh = web.browser(web.story.cast.manager, acr="urn:strong")
    token, values = boxes(fresh)
    assert press(fresh, token, values, comment="Agreed", again="1").status_code == 303
    assert {web.story.see(number).state for number in (1, 2, 3)} == {State.SCHEDULED}


def test_a_sign_in_that_is_still_too_weak_decides_the_others(web: Web) -> None:
    many(web, 1)
    many(web, 1, {**MANAGER_STAGE, "acr": "urn:strong"})
    browser = web.browser(web.story.cast.manager)
    opened(web, browser, 1, 2)
    token, values = boxes(browser)
    press(browser, token, values, again="1")
    assert [web.story.see(number).state for number in (1, 2)] == [State.SCHEDULED, State.PENDING]
    assert "Sign in again to decide" in browser.get("/approvals").get_data(as_text=True)


@pytest.mark.parametrize("chosen", [[], ["x"], [" "]])
def test_choosing_none_says_so(web: Web, chosen: list[str]) -> None:
    many(web, 1)
    browser = web.browser(web.story.cast.manager)
    opened(web, browser, 1)
    token, _values = boxes(browser)
    assert press(browser, token, chosen).location == "/approvals"
    assert "Choose at least one request" in browser.get("/approvals").get_data(as_text=True)


def test_looking_is_remembered_with_the_seal_once(web: Web) -> None:
    many(web, 1)
    browser = web.browser(web.story.cast.manager)
    browser.client.head("/approvals/SR-000001")
    with web.portal.db.reading() as session:
        assert session.scalars(select(CardOpening)).all() == []
    opened(web, browser, 1, 1)
    with web.portal.db.reading() as session:
        (opening,) = session.scalars(select(CardOpening))
    assert (opening.person_id, opening.seal) == (web.story.cast.manager, web.story.see(1).seal)
