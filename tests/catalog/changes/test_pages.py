"""The calendar's pages: what is on them, who sees what, and who may set windows and freezes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from catalog.changes import tags
from catalog.changes.model import Restriction
from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.identity.model import WebSession
from tests.catalog.changes.conftest import EVENINGS
from tests.catalog.requests.conftest import web

__all__ = ["web"]

WEEK = "/changes?week=2026-W47"
FREEZE = {
    "reason": "Year-end closing",
    "begins_day": "2026-11-19",
    "begins_time": "00:00",
    "ends_day": "2026-11-20",
    "ends_time": "18:00",
    "scope": "all",
    "asset": "",
    "timezone": "Europe/Berlin",
}
WINDOW = {
    "name": "Nights",
    "hours": "thu 22:00-02:00",
    "scope": "all",
    "asset": "",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def approve(web, calendar):
    """The line manager, who is the first approver of the offering, agrees."""

    def agree(request_id):
        with web.portal.db.transaction() as session:
            decide(
                session,
                calendar.actor_of(calendar.cast.manager),
                request_id,
                verdict=Verdict.APPROVE,
                comment="Go on.",
                seal=session.get_one(Request, request_id).seal,
                settings=web.portal.settings,
            )

    return agree


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_approver_reads_when_it_is_carried_out_and_what_else_touches_the_asset_then(
    calendar, web, cast, approve
):
    calendar.offer(window=EVENINGS)
    first = calendar.shelves.prepared(calendar.actor_of(cast.requester), system="APP-001")
    approve(first)
    calendar.shelves.prepared(calendar.actor_of(cast.requester), word="second", system="APP-001")
    calendar.shelves.prepared(calendar.actor_of(cast.operator), word="third", system="APP-001")

    card = web.browser(cast.manager).get("/approvals/SR-000002")
    sentence = (
        "If it is approved before then, it will be carried out on Thursday 19 November 2026, 20:00 CET,"
        " in the change window “Tuesdays 20:00 to 23:00, Thursdays 20:00 to 23:00”."
    )
    assert sentence in card
    assert "Other changes to the same asset at that time:" in card
    assert "SR-000001</a> Words on shelves" in card
    # The third is for the operator, whose manager is somebody else.
    assert "SR-000003" not in card
    assert "Another change" in card

    page = web.browser(cast.requester).get("/requests/SR-000001")
    assert "It will be carried out on Thursday 19 November 2026, 20:00 CET" in page
    assert "SR-000002</a> Words on shelves" in page
    promised = calendar.shelves.request(first).promised_by
    assert promised is not None
    assert promised > calendar.change(first).planned_at


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_calendar_shows_each_reader_what_they_may_know_of(calendar, web, cast, approve):
    calendar.offer(window=EVENINGS)
    scheduled = calendar.shelves.prepared(calendar.actor_of(cast.requester), system="APP-001")
    approve(scheduled)
    calendar.freeze("2026-11-21T10:00", "2026-11-22T10:00")

    for part, whole in (("requester", True), ("manager", True), ("operator", True), ("owner", False)):
        page = web.browser(cast.ids[part]).get(WEEK)
        assert "Freeze: Year-end" in page
        assert "Customer system (APP-001)" in page, part
        assert ("SR-000001" in page) == whole, part
        assert ("Another change: Words on shelves" in page) != whole, part
    security = web.browser(cast.auditor).get(f"{WEEK}&standing=done")
    assert "SR-000001" not in security
    for elsewhere in (
        f"{WEEK}&offering=firewall-rule",
        f"{WEEK}&asset=APP-002",
        f"{WEEK}&unit=lisbon",
        "/changes?week=2026-W48",
    ):
        page = web.browser(cast.requester).get(elsewhere)
        assert "SR-000001" not in page
    assert "SR-000001" in web.browser(cast.requester).get(
        f"{WEEK}&offering=words-on-shelves&asset=APP-001&unit=holding&standing=planned"
    )

    calendar.clock.time = calendar.change(scheduled).planned_at
    calendar.shelves.work()
    page = web.browser(cast.requester).get(WEEK)
    assert "Done" in page
    assert "20:00" in page
    assert "Nothing in this week" in web.browser(cast.requester).get("/changes?week=1999-W01")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_calendar_takes_few_statements_however_much_is_on_it(calendar, web, cast, approve):
    calendar.offer(window=EVENINGS)
    browser = web.browser(cast.head)  # leads a unit
    counts = []
    for number in range(2):
        for each in range(1 + 3 * number):
            approve(
                calendar.shelves.prepared(
                    calendar.actor_of(cast.requester), word=f"w{number}{each}", system="APP-001"
                )
            )
            calendar.freeze("2026-12-01T10:00", f"2026-12-0{2 + each}T10:00", name=f"F{number}{each}")
        browser.get(WEEK)
        counts.append(len(web.counting(lambda: browser.get(WEEK))))
    assert counts[0] == counts[1]
    assert counts[0] - 3 <= 8


def test_operators_set_and_lift_freezes_after_a_fresh_sign_in(calendar, web, cast, approve):
    calendar.offer(window=EVENINGS)
    approve(request_id := calendar.shelves.prepared(calendar.actor_of(cast.requester)))
    browser = web.browser(cast.operator)
    browser.get("/changes/freezes")
    for wrong, sentence in (
        ({"reason": ""}, "Enter why nothing is to be changed."),
        ({"ends_day": "2026-11-18"}, "A freeze ends after it has begun."),
        ({"begins_time": "late"}, "Enter the time like 18:00."),
        ({"timezone": "Mars/Olympus"}, "Enter a time zone such as Europe/Berlin."),
        ({"scope": "asset"}, "Enter the asset."),
        ({"scope": "unit:nowhere"}, "Choose what it is for."),
        ({"ends_day": "2028-01-01"}, "A freeze lasts a year at most."),
    ):
        assert sentence in browser.post("/changes/freezes", {**FREEZE, **wrong}, status=422)
    page = browser.post("/changes/freezes", FREEZE)
    assert "The freeze is set." in page
    assert "Year-end closing" in page
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).baton_due.isoformat() == "2026-11-24T19:00:00+00:00"
    assert "It waits for the end of a freeze: Year-end closing" in web.browser(cast.requester).get(
        "/requests/SR-000001"
    )

    with web.portal.db.transaction() as session:
        number = session.scalars(select(Restriction.id)).one()
        for row in session.scalars(select(WebSession).order_by(WebSession.id)):
            row.auth_time -= timedelta(minutes=10)
    browser.post(f"/changes/restrictions/{number}/end", follow=False, status=303)
    assert browser.last.location.startswith("/sign-in")
    browser.post("/changes/freezes", FREEZE, follow=False, status=303)
    assert browser.last.location.startswith("/sign-in")
    with web.portal.db.transaction() as session:
        assert len(session.scalars(select(Restriction)).all()) == 1
        for row in session.scalars(select(WebSession).order_by(WebSession.id)):
            row.auth_time += timedelta(minutes=10)
    # What was typed is still there.
    assert "nothing is set yet" in (again := browser.get("/changes/freezes"))
    assert 'value="2026-11-20"' in again
    assert "The freeze is lifted." in browser.post(f"/changes/restrictions/{number}/end")
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).baton_due.isoformat() == "2026-11-19T19:00:00+00:00"
    with web.portal.db.reading() as session:
        found = list(session.scalars(select(Entry.tag).where(Entry.subject == "change-calendar")))
    assert found == [tags.FREEZE_SET, tags.FREEZE_LIFTED]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_owners_set_windows_for_what_is_theirs_and_nobody_else_may(calendar, web, cast):
    owner, stranger = web.browser(cast.second_owner), web.browser(cast.requester)
    page = owner.get("/changes/windows")
    # The group answers for the service and owns the asset, and for nothing else.
    assert 'value="offering:words-on-shelves"' in page
    assert 'value="asset"' in page
    assert 'value="all"' not in page
    assert 'value="unit:holding"' not in page
    assert "begins when it ends" in owner.post(
        "/changes/windows",
        {**WINDOW, "scope": "asset", "asset": "APP-001", "hours": "tue 20:00-20:00"},
        status=422,
    )
    assert "is no hours" in owner.post("/changes/windows", {**WINDOW, "hours": "tuesday evening"}, status=422)
    assert "Choose what it is for." in owner.post("/changes/windows", WINDOW, status=422)
    page = owner.post("/changes/windows", {**WINDOW, "scope": "asset", "asset": "Customer system"})
    assert "Thursdays 22:00 to 02:00 (Europe/Berlin)" in page
    assert "Customer system (APP-001)" in page

    assert "Nights" in stranger.get("/changes/windows")
    assert "Set a window" not in stranger.last.get_data(as_text=True)
    stranger.get("/changes/feed")
    stranger.post("/changes/windows", {**WINDOW, "scope": "asset", "asset": "APP-001"}, status=422)
    with web.portal.db.reading() as session:
        number = session.scalars(select(Restriction.id)).one()
    stranger.post(f"/changes/restrictions/{number}/end", status=403)
    assert "The window has ended." in owner.post(f"/changes/restrictions/{number}/end")
    owner.post(f"/changes/restrictions/{number}/end", status=409)
