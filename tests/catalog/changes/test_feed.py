"""The calendar feed: valid RFC 5545, limited to what its reader may know of, secret, and revocable."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from approvals.links.masking import mask_path
from catalog.changes.ical import Event, calendar_text
from catalog.changes.model import CalendarFeed
from catalog.requests.withdraw import withdraw
from portal.identity.model import Person
from tests.catalog.changes.conftest import EVENINGS
from tests.catalog.requests.conftest import web

__all__ = ["web"]

LINE = re.compile(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*))*):(.*)')
MOMENT = re.compile(r"\d{8}T\d{6}Z")
ESCAPES = {"\\\\": "\\", "\\;": ";", "\\,": ",", "\\n": "\n"}


def parsed(text):
    """The events of a calendar as dictionaries; every rule of RFC 5545 that we can break is checked on the way."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    raw = text[:-2].split("\r\n")
    assert all(0 < len(line.encode()) <= 75 for line in raw)
    unfolded = "\r\n".join(raw).replace("\r\n ", "").split("\r\n")
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", "".join(unfolded))
    lines = []
    for line in unfolded:
        found = LINE.fullmatch(line)
        assert found, line
        lines.append((found[1], found[3]))
    assert lines[0] == ("BEGIN", "VCALENDAR")
    assert lines[-1] == ("END", "VCALENDAR")
    head = dict(lines[1 : next((i for i, line in enumerate(lines) if line == ("BEGIN", "VEVENT")), -1)])
    assert head["VERSION"] == "2.0"
    assert head["PRODID"]
    events, event = [], None
    for name, value in lines:
        if (name, value) == ("BEGIN", "VEVENT"):
            assert event is None
            event = {}
        elif (name, value) == ("END", "VEVENT"):
            assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS", "SEQUENCE"} <= event.keys()
            assert event["STATUS"] in {"TENTATIVE", "CONFIRMED", "CANCELLED"}
            assert event["SEQUENCE"].isdecimal()
            assert all(
                MOMENT.fullmatch(event[key]) for key in ("DTSTAMP", "DTSTART", "DTEND", "LAST-MODIFIED")
            )
            assert event["DTSTART"] <= event["DTEND"]
            events.append(event)
            event = None
        elif event is not None:
            assert name not in event, f"{name} stands twice"
            event[name] = unescaped(value) if name in {"SUMMARY", "DESCRIPTION", "LOCATION"} else value
    assert event is None
    assert len({event["UID"] for event in events}) == len(events)
    return events


def unescaped(value):
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), value
    return re.sub(r"\\[\\;,n]", lambda found: ESCAPES[found[0]], value)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=3))
def test_any_text_comes_out_as_it_went_in_however_it_is_folded(texts):
    at = datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
    events = [
        Event(f"{number}@host", text, at, at, at, number, "CONFIRMED", description=text)
        for number, text in enumerate(texts)
    ]
    found = parsed(calendar_text("Changes; planned, done", events))
    assert [event["SUMMARY"] for event in found] == texts


def test_lines_and_control_characters_cannot_add_a_line():
    at = datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
    evil = "One\r\nEND:VEVENT\nTwo\x00\x1b"
    (event,) = parsed(calendar_text("Changes", [Event("1@host", evil, at, at, at, 0, "CONFIRMED")]))
    assert event["SUMMARY"] == "One\nEND:VEVENT\nTwo"


def subscribe(web, person):
    browser = web.browser(person)
    browser.get("/changes/feed")
    page = browser.post("/changes/feed")
    address = re.search(r"/changes/feed/([A-Za-z0-9_-]{32})\.ics", page)
    assert address, page
    assert address[1] not in browser.get("/changes/feed"), "it is shown once"
    return browser, address[0]


def read(web, address, status=200):
    answer = web.app.test_client().get(address)
    assert answer.status_code == status
    return parsed(answer.get_data(as_text=True)) if status == 200 else None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_feed_shows_what_its_owner_may_know_of_and_names_no_person(calendar, web, cast):
    calendar.offer(window=EVENINGS)
    request_id = calendar.shelves.prepared(calendar.actor_of(cast.requester), system="APP-001")
    calendar.freeze("2026-12-23T10:00", "2026-12-24T10:00")
    _, mine = subscribe(web, cast.requester)
    _, owners = subscribe(web, cast.owner)
    _, strangers = subscribe(web, cast.outsider)

    change, freeze = read(web, mine)
    assert change["SUMMARY"] == "SR-000001 Words on shelves, Customer system (APP-001)"
    assert (change["DTSTART"], change["STATUS"]) == ("20261119T190000Z", "TENTATIVE")
    assert change["URL"].endswith("/requests/SR-000001")
    assert freeze["SUMMARY"] == "Freeze: Year-end"
    (theirs, _freeze) = read(web, owners)
    assert theirs["SUMMARY"] == "Another change: Words on shelves, Customer system (APP-001)"
    assert "URL" not in theirs
    assert "SR-000001" not in str(theirs)
    assert [event["SUMMARY"] for event in read(web, strangers)] == ["Freeze: Year-end"]
    assert "Rosa" not in str(read(web, mine))

    calendar.freeze("2026-11-19T00:00", "2026-11-20T00:00", name="Fire drill")
    calendar.shelves.work()
    moved = next(event for event in read(web, mine) if event["UID"] == change["UID"])
    assert moved["DTSTART"] == "20261124T190000Z"
    assert int(moved["SEQUENCE"]) > int(change["SEQUENCE"])
    with web.portal.db.transaction() as session:
        withdraw(session, calendar.actor_of(cast.requester), request_id)
    gone = next(event for event in read(web, mine) if event["UID"] == change["UID"])
    assert gone["STATUS"] == "CANCELLED"
    assert int(gone["SEQUENCE"]) > int(moved["SEQUENCE"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_address_ends_when_it_is_revoked_replaced_or_its_owner_leaves(calendar, web, cast):
    browser, first = subscribe(web, cast.requester)
    with web.portal.db.reading() as session:
        kept = session.scalars(select(CalendarFeed.token_hash)).one()
    assert kept not in first
    assert read(web, first) == []
    _, second = subscribe(web, cast.requester)
    read(web, first, status=404)
    assert read(web, second) == []
    assert "The calendar address has ended." in browser.post("/changes/feed/revoke")
    read(web, second, status=404)
    browser.post("/changes/feed/revoke", status=404)
    _, third = subscribe(web, cast.requester)
    with web.portal.db.transaction() as session:
        session.execute(update(Person).where(Person.id == cast.requester).values(active=False))
    read(web, third, status=404)
    read(web, "/changes/feed/" + "x" * 3000 + ".ics", status=404)


def test_an_address_never_stands_in_a_log():
    for line in ("GET /changes/feed/abcDEF_-123.ics 200", "next=%2Fchanges%2Ffeed%2FabcDEF_-123.ics"):
        assert "abcDEF" not in mask_path(line)
