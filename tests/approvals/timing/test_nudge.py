"""The requester asks the approvers to look, at most once a working day."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import select

from catalog.requests.model import Request
from catalog.requests.promise import pause
from portal.audit.model import Entry
from portal.notifications.model import Message
from tests.approvals.conftest import OWNER_STAGE, Browser, Web


def nudge(browser: Browser, reference: str):
    page = html5lib.parse(browser.get("/me/absences").get_data(as_text=True), namespaceHTMLElements=False)
    token = next(field.get("value") for field in page.iter("input") if field.get("name") == "csrf_token")
    answer = browser.client.post(
        f"/requests/{reference}/nudge", data={"csrf_token": token}, headers={"Origin": browser.origin}
    )
    shown = browser.get(f"/requests/{reference}").get_data(as_text=True) if answer.status_code == 303 else ""
    return answer.status_code, shown


def told(web: Web) -> list[int | None]:
    with web.portal.db.reading() as session:
        statement = select(Message.person_id).where(Message.event == "approval_nudged").order_by(Message.id)
        return list(session.scalars(statement))


def test_the_requester_nudges_once_a_working_day(web: Web) -> None:
    cast = web.story.cast
    reference = web.story.see(web.story.planned(OWNER_STAGE)).reference
    requester = web.browser(cast.requester)
    assert "Ask them to look" in requester.get(f"/requests/{reference}").get_data(as_text=True)
    status, shown = nudge(requester, reference)
    assert (status, told(web)) == (303, [cast.owner, cast.second_owner])
    assert "2 people were told by mail." in shown
    assert "The requester asked the approvers to look" in shown
    web.clock.pass_time(hours=8)
    requester = web.browser(cast.requester)
    assert "again from Thursday 19 November 2026" in nudge(requester, reference)[1]
    assert len(told(web)) == 2
    web.clock.pass_time(days=2)  # a Friday
    requester = web.browser(cast.requester)
    nudge(requester, reference)
    assert len(told(web)) == 4
    web.clock.pass_time(days=1)
    requester = web.browser(cast.requester)
    assert "again from Monday 23 November 2026" in nudge(requester, reference)[1]
    with web.portal.db.reading() as session:
        entries = session.scalars(select(Entry.actor).where(Entry.tag == "request:nudged")).all()
    assert entries == [f"person:{cast.requester}"] * 2


@pytest.mark.on_sqlite
@pytest.mark.parametrize("who", ["owner", "outsider", "operator"])
def test_nobody_else_nudges(web: Web, who: str) -> None:
    reference = web.story.see(web.story.planned(OWNER_STAGE)).reference
    status, _ = nudge(web.browser(getattr(web.story.cast, who)), reference)
    assert status in {403, 404}
    assert told(web) == []


@pytest.mark.on_sqlite
def test_nobody_is_nudged_who_waits_for_the_requester(web: Web) -> None:
    request_id = web.story.planned(OWNER_STAGE)
    with web.portal.db.transaction() as session:
        pause(session, session.get_one(Request, request_id))
    shown = nudge(web.browser(web.story.cast.requester), web.story.see(request_id).reference)[1]
    assert "The approvers wait for you" in shown
    assert told(web) == []
