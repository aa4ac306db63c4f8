from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import html5lib
import pytest
from jinja2 import UndefinedError
from sqlalchemy import select

from portal.core.assets import templates_folder
from portal.identity.model import Person
from portal.jobs.model import Task
from portal.notifications import notify
from portal.notifications.model import Message
from portal.notifications.rendering import PORTAL, quoted, render, when
from tests.fixtures_notifications import MESSAGES

HOSTILE = "<img src=x onerror=alert(1)>{{987*654}}{0.__class__}"


@pytest.mark.on_sqlite
def test_a_message_is_written_with_what_it_tells_of_and_a_task_will_send_it(db, cast, clock):
    with db.transaction() as session:
        manager = session.get_one(Person, cast.manager)
        written = notify(session, "approval_requested", manager, MESSAGES["approval_requested"])
        assert written is not None
    with db.reading() as session:
        (message,) = session.scalars(select(Message)).all()
        (task,) = session.scalars(select(Task)).all()
        assert message.event == "approval_requested"
        assert message.person_id == cast.manager
        assert message.address == "milo.manager@meridian.example"
        assert message.subject_line == "Your decision: Application access for Beatriz Sousa (SR-000042)"
        assert re.fullmatch(r"<[0-9a-f]{32}@countersign\.invalid>", message.message_id)
        assert message.created_at == clock()
        assert message.sent_at is None
        assert f"{PORTAL}/a/Zm9vYmFyYmF6" in message.text
        assert f'href="{PORTAL}/a/Zm9vYmFyYmF6"' in message.html
        assert task.kind == "send_mail"
        assert task.payload["message"] == message.id


@pytest.mark.on_sqlite
def test_a_message_falls_with_the_transaction_it_was_written_in(db, cast):
    with pytest.raises(RuntimeError, match="undone"), db.transaction() as session:
        notify(
            session, "request_approved", session.get_one(Person, cast.requester), MESSAGES["request_approved"]
        )
        raise RuntimeError("undone")
    with db.reading() as session:
        assert session.scalars(select(Message)).all() == []
        assert session.scalars(select(Task)).all() == []


@pytest.mark.on_sqlite
def test_nobody_who_has_left_gets_mail(db, cast):
    with db.transaction() as session:
        leaver = session.get_one(Person, cast.leaver)
        assert notify(session, "request_approved", leaver, MESSAGES["request_approved"]) is None
    with db.reading() as session:
        assert session.scalars(select(Message)).all() == []


def test_a_variable_that_is_missing_is_an_error_at_once(db, cast):
    context = {name: value for name, value in MESSAGES["approval_requested"].items() if name != "risk"}
    with pytest.raises(UndefinedError, match="risk"), db.transaction() as session:
        notify(session, "approval_requested", session.get_one(Person, cast.manager), context)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "", "requests/x"])
def test_a_link_leads_into_the_portal(db, cast, path):
    with pytest.raises(ValueError, match="must begin with one slash"), db.transaction() as session:
        person = session.get_one(Person, cast.requester)
        notify(session, "request_approved", person, MESSAGES["request_approved"] | {"path": path})


def test_every_event_with_templates_is_tested_and_documented():
    folders = {path.name for path in (templates_folder() / "notifications").iterdir() if path.is_dir()}
    assert folders == set(MESSAGES)
    readme = (templates_folder() / "notifications" / "README.md").read_text(encoding="utf-8")
    assert folders <= set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))
    for folder in folders:
        names = {path.name for path in (templates_folder() / "notifications" / folder).iterdir()}
        assert names == {"subject.txt", "body.txt", "body.html"}


def test_every_event_that_the_rooms_tell_of_has_templates():
    root = Path(__file__).resolve().parents[3]
    told = set()
    for package in ("portal", "catalog", "approvals", "reports"):
        for file in (root / package).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            told |= set(re.findall(r"(?:notify|tell_requester|tell_holder)\([^(){]*?\"([a-z_]+)\"", source))
    assert {"approval_requested", "approval_ended", "request_fulfilled"} <= told
    assert told <= set(MESSAGES)


@pytest.mark.parametrize("event", sorted(MESSAGES))
def test_every_message_is_whole_in_both_forms(event):
    rendered = render(event, _variables(event), "Europe/Berlin")
    html5lib.HTMLParser(strict=True).parse(rendered.html)
    assert rendered.subject
    assert "\n" not in rendered.subject
    for part in (rendered.text, rendered.html):
        assert f"{PORTAL}{MESSAGES[event]['path']}" in part
        assert "None" not in part
        assert "You get " in part
        assert "\n\n\n" not in rendered.text
    assert "Countersign" in rendered.html
    assert not re.search(r"<(script|img|link|form|iframe)", rendered.html)
    assert "http" not in rendered.html.replace("http-equiv", "")
    assert max(len(line) for line in rendered.text.splitlines()) < 200


@pytest.mark.parametrize("event", sorted(MESSAGES))
def test_what_people_typed_is_text_in_every_message(event):
    def spoil(value):
        if isinstance(value, str):
            return HOSTILE
        if isinstance(value, list):
            return [(item[0], HOSTILE) if isinstance(item, tuple) else HOSTILE for item in value]
        return value

    context = {name: spoil(value) for name, value in MESSAGES[event].items() if name != "path"}
    rendered = render(event, _variables(event) | context, "UTC")
    assert "<img" not in rendered.html
    assert "645498" not in rendered.html
    assert "645498" not in rendered.text
    assert "&lt;img src=x" in rendered.html
    assert HOSTILE in rendered.text


def test_a_decision_card_says_what_who_why_and_by_when_in_the_reader_s_time():
    rendered = render("approval_requested", _variables("approval_requested"), "America/New_York")
    for part in (rendered.text, rendered.html):
        assert "Friday 20 November 2026, 11:00 EST" in part
        assert "Inês Carvalho" in part
        assert "Beatriz Sousa (beatriz.sousa) becomes a member of crm-sales" in part
        assert "The role can export customer records." in part
        assert "decides nothing" in part
        assert "Sign in to decide" in part
    assert "> Beatriz takes over the northern region.\n> She needs to see its customers." in rendered.text


def test_a_decision_card_without_an_end_or_a_reason_has_no_empty_lines_for_them():
    context = _variables("approval_requested") | {
        "ends_at": None, "due_at": None, "reason": "", "for_themselves": True, "risk_reasons": [], "lines": [],
    }  # fmt: skip
    rendered = render("approval_requested", context, "UTC")
    assert "Until" not in rendered.html + rendered.text
    assert "writes" not in rendered.html + rendered.text
    assert "None" not in rendered.html + rendered.text


def test_nobody_s_words_can_place_the_sign_for_the_portal_s_address():
    rendered = render(
        "request_rejected", _variables("request_rejected") | {"outcome": f"see {PORTAL}.evil"}, "UTC"
    )
    assert f"{PORTAL}.evil" not in rendered.text + rendered.html
    assert "see \ufffd.evil" in rendered.text


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\u2028"])
def test_characters_that_hide_or_reorder_are_shown_as_such(hidden):
    rendered = render("request_rejected", _variables("request_rejected") | {"outcome": f"a{hidden}b"}, "UTC")
    assert hidden not in rendered.text + rendered.html
    assert "a\ufffdb" in rendered.html


def test_a_subject_is_one_short_line():
    context = _variables("request_rejected") | {
        "offering": "x\r\nBcc: all@meridian.example\u202e" + "y" * 500
    }
    subject = render("request_rejected", context, "UTC").subject
    assert len(subject) <= 180
    assert subject.startswith("Not approved: x Bcc: all@meridian.example\ufffdyy")
    assert subject.endswith("…")


def test_moments_are_said_in_words():
    assert when(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), ZoneInfo("Europe/Lisbon")) == (
        "Wednesday 1 July 2026, 23:30 WEST"
    )
    assert when(date(2026, 7, 1), ZoneInfo("UTC")) == "Wednesday 1 July 2026"


def test_somebody_s_words_are_marked_line_by_line():
    assert quoted("one\n\nSign in here: x\r\ntwo") == "> one\n>\n> Sign in here: x\n> two"


def _variables(event):
    context = dict(MESSAGES[event])
    from portal.notifications.rendering import Link

    return context | {"recipient": "Zoë Lindqvist", "urgent": False, "link": Link(PORTAL + context["path"])}
