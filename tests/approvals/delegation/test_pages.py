"""The page where a person says who decides in their place."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import event, select

from approvals.delegation.model import Delegation
from portal.audit.model import Entry
from portal.notifications.model import Message
from tests.approvals.conftest import Browser, Web

pytestmark = pytest.mark.on_sqlite

HEADS_STAGE = {
    "slug": "unit-head",
    "name": "Head of the unit",
    "approvers": {"relation": "unit-head"},
    "target": "8h",
}


def post(browser: Browser, path: str, **fields: object):
    page = html5lib.parse(browser.get("/me/delegations").get_data(as_text=True), namespaceHTMLElements=False)
    token = next(field.get("value") for field in page.iter("input") if field.get("name") == "csrf_token")
    return browser.client.post(path, data={"csrf_token": token, **fields}, headers={"Origin": browser.origin})


def give(browser: Browser, **changed: object):
    fields: dict[str, object] = {
        "substitute": "Otto Owner",
        "first_day": "2026-11-18",
        "last_day": "2026-11-20",
        "which": "every",
        **changed,
    }
    return post(browser, "/me/delegations", **fields)


def delegations(web: Web) -> list[Delegation]:
    with web.portal.db.reading() as session:
        return list(session.scalars(select(Delegation).order_by(Delegation.id)))


def test_a_delegation_is_given_told_recorded_and_shown_to_both(web: Web) -> None:
    owner = web.browser(web.story.cast.owner)
    answer = give(owner, substitute="Otto Owner (otto.owner)")
    assert answer.status_code == 303
    made = delegations(web)
    assert [(one.delegator_id, one.substitute_id) for one in made] == [
        (web.story.cast.owner, web.story.cast.second_owner)
    ]
    assert made[0].ends_at.isoformat() == "2026-11-20T23:00:00+00:00"
    with web.portal.db.reading() as session:
        mail = session.scalars(select(Message).where(Message.event == "delegation_given")).one()
        entry = session.scalars(select(Entry).where(Entry.tag == "delegation:given")).one()
    assert mail.person_id == web.story.cast.second_owner
    assert "Olga Owner" in mail.subject_line
    assert "Wednesday 18 November 2026" in mail.text
    assert f'"substitute":"person:{web.story.cast.second_owner}"' in entry.body
    assert "Olga" not in entry.body
    assert "Otto Owner" in owner.get("/me/delegations").get_data(as_text=True)
    theirs = web.browser(web.story.cast.second_owner).get("/me/delegations").get_data(as_text=True)
    assert "You decide for others" in theirs
    assert "Olga Owner" in theirs


def test_a_stolen_idle_session_delegates_nothing_and_the_delegator_is_mailed_when_it_is_done(
    web: Web,
) -> None:
    idle = web.browser(web.story.cast.owner, minutes=6)
    answer = give(idle, substitute="otto.owner", which="some", offerings=["crm-access-0", "crm-access-1"])
    assert answer.status_code == 422, "nobody signs in again for what cannot be taken"
    for _ in range(2):
        web.story.offer(HEADS_STAGE)
    answer = give(idle, substitute="otto.owner", which="some", offerings=["crm-access-0", "crm-access-1"])
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in/again?max_age=300&")
    assert "next=/me/delegations" in answer.location
    assert delegations(web) == []
    back = idle.get("/me/delegations").get_data(as_text=True)
    assert "Press Delegate once more" in back
    form = html5lib.parse(back, namespaceHTMLElements=False)
    typed = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert (typed["substitute"], typed["last_day"]) == ("otto.owner", "2026-11-20")
    ticked = [field.get("value") for field in form.iter("input") if field.get("checked") is not None]
    assert ticked == ["some", "crm-access-0", "crm-access-1"]
    assert "Press Delegate once more" not in idle.get("/me/delegations").get_data(as_text=True)
    assert give(web.browser(web.story.cast.owner, minutes=4)).status_code == 303
    with web.portal.db.reading() as session:
        mail = session.scalars(select(Message).where(Message.event == "delegation_made")).one()
    assert mail.person_id == web.story.cast.owner
    assert mail.subject_line == "You delegated your decisions to Otto Owner"
    assert "If it was not you" in mail.text
    assert mail.held_until is None


def test_everything_that_is_wrong_is_said_at_its_field(web: Web) -> None:
    owner = web.browser(web.story.cast.owner)
    cases = (
        ({"substitute": ""}, "Say who decides in your place."),
        ({"substitute": "Nobody Such"}, "Nobody is called"),
        ({"substitute": "Lena Leaver"}, "Nobody is called"),
        ({"substitute": "olga.owner"}, "somebody else than yourself"),
        ({"first_day": "2026-11-17"}, "today or later"),
        ({"first_day": "tomorrow"}, "Enter the day like"),
        ({"last_day": "2026-11-17"}, "not before the first"),
        ({"last_day": "2028-11-17"}, "a year at most"),
        ({"which": "some"}, "Choose at least one service"),
        ({"which": "some", "offerings": "nothing-such"}, "not in the catalogue"),
    )
    for changed, sentence in cases:
        answer = give(owner, **changed)
        assert answer.status_code == 422, changed
        text = answer.get_data(as_text=True)
        assert sentence in text, changed
        assert "There is a problem" in text
    assert give(owner, extra="1").status_code == 400
    assert delegations(web) == []


def test_nobody_delegates_the_same_service_twice_for_one_day(web: Web) -> None:
    web.story.offer(HEADS_STAGE)
    web.story.offer(HEADS_STAGE)
    owner = web.browser(web.story.cast.owner)
    assert give(owner, which="some", offerings="crm-access-0").status_code == 303
    again = {"substitute": "Sami Security", "first_day": "2026-11-20", "last_day": "2026-11-25"}
    for changed in ({"which": "every"}, {"which": "some", "offerings": "crm-access-0"}):
        answer = give(owner, **again, **changed)
        assert answer.status_code == 422
        assert "delegated this to Otto Owner already" in answer.get_data(as_text=True)
    assert give(owner, **again, which="some", offerings="crm-access-1").status_code == 303
    assert give(owner, **{**again, "first_day": "2026-11-26", "last_day": "2026-11-26"}).status_code == 303


def test_either_of_the_two_ends_it_and_nobody_else(web: Web) -> None:
    owner, other = web.browser(web.story.cast.owner), web.browser(web.story.cast.second_owner)
    stranger = web.browser(web.story.cast.outsider)
    give(owner)
    number = delegations(web)[0].id
    assert post(stranger, f"/me/delegations/{number}/end").status_code == 404
    assert delegations(web)[0].ended_by_id is None
    assert post(other, f"/me/delegations/{number}/end").status_code == 303
    assert delegations(web)[0].ended_by_id == web.story.cast.second_owner
    assert post(owner, f"/me/delegations/{number}/end").status_code == 409
    with web.portal.db.reading() as session:
        mail = session.scalars(select(Message).where(Message.event == "delegation_ended")).one()
        tags = session.scalars(
            select(Entry.tag).where(Entry.tag.startswith("delegation:")).order_by(Entry.number)
        ).all()
    assert mail.person_id == web.story.cast.owner
    assert "Otto Owner does not decide in your place" in mail.subject_line
    assert tags == ["delegation:given", "delegation:declined"]
    give(owner, first_day="2026-11-20")
    assert post(owner, f"/me/delegations/{delegations(web)[1].id}/end").status_code == 303
    coming = delegations(web)[1]
    assert coming.ends_at == coming.begins_at


def test_the_page_takes_the_same_few_statements_however_many_delegations_there_are(web: Web) -> None:
    owner = web.browser(web.story.cast.owner)
    statements: list[str] = []
    counts = []
    event.listen(web.portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for first in ("2026-11-18", "2026-12-01", "2026-12-05"):
        assert give(owner, first_day=first, last_day=first).status_code == 303
        owner.get("/me/delegations")
        statements.clear()
        owner.get("/me/delegations")
        counts.append(len([text for text in statements if text.startswith("SELECT")]))
    assert counts[0] == counts[-1] <= 8
