"""The ledger's page: filters in people's words, pages in both directions, one entry with its proof, and the export."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, func, select, text

from catalog.auditors.subjects import RequestSubjects
from portal.audit import record
from portal.audit.checkpoint import checkpoint
from portal.audit.entries import entries_page, ledger_head
from portal.audit.filtering import Looked, condition, reference_of
from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.model import Entry, PersonalValue
from portal.audit.notes import read_head
from portal.audit.record import commitment
from portal.audit.words import KNOWN, choices, says, tags_of
from portal.identity.actor import PORTAL, Actor
from tests.architecture.test_code import FILES
from tests.catalog.requests.conftest import web

__all__ = ["web"]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def story(shelves, cast, actor_of, request):
    """One request from order to fulfilment, and the portal that tells of it."""
    shelves.fulfilled(actor_of(cast.requester))
    return request.getfixturevalue("web")


def _numbers(page):
    return [int(number) for number in re.findall(r'href="/ledger/(\d+)"', page)]


def test_every_tag_that_is_declared_has_words_and_a_group() -> None:
    declared = set()
    for path in FILES:
        declared |= set(
            re.findall(
                r"^[A-Z][A-Z_]+\s*=\s*[\"']([a-z-]+:[a-z-]+)[\"']",
                path.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        )
        declared |= set(
            re.findall(r"record\(\s*session,\s*[\"']([a-z-]+:[a-z-]+)[\"']", path.read_text(encoding="utf-8"))
        )
    # An issuer and a mail's event are written alike.
    declared -= {"countersign:erased", "countersign:task"}
    assert len(declared) > 100
    assert declared - KNOWN == set()
    for group, name, tags in choices():
        assert name and tags_of(group) == tuple(sorted(tag for tag, _said in tags))
        assert all(said and said != tag for tag, said in tags)
    assert says("never:heard-of") == "never:heard-of"


@pytest.mark.on_sqlite
def test_filters_find_a_request_a_person_a_tag_a_group_and_days(story, shelves, cast, clock) -> None:
    clock.pass_time(days=2)
    with shelves.db.transaction() as session:
        record(session, "assets:imported", subject="assets", actor=PORTAL, facts={"count": 1})
    browser = story.browser(cast.compliance)
    everything = _numbers(browser.get("/ledger"))
    assert everything == sorted(everything, reverse=True)
    of_request = browser.get("/ledger?subject=sr-1")
    assert "Submitted" in of_request and "request:submitted" in of_request
    assert 0 < len(_numbers(of_request)) < len(everything)
    did = _numbers(browser.get("/ledger?person=rosa.requester&part=did"))
    assert _numbers(browser.get("/ledger?person=Rosa+Requester&part=did")) == did
    assert did
    assert len(_numbers(browser.get("/ledger?tag=request:submitted"))) == 1
    assert len(_numbers(browser.get("/ledger?tag=group%3Drequests&subject=SR-000001"))) >= 3
    late = _numbers(browser.get("/ledger?first_day=2026-11-20"))
    assert late == [everything[0]]
    assert late[0] not in _numbers(browser.get("/ledger?last_day=2026-11-19"))
    assert _numbers(browser.get("/ledger?first_day=2026-11-18&last_day=2026-11-18")) == everything[1:]
    assert "No entry fits" in browser.get("/ledger?person=nobody")
    assert "Enter the day like" in browser.get("/ledger?first_day=soon")
    checkpoint(shelves.db, story.portal.signer)
    for address in ("/ledger", "/ledger?subject=SR-000001&person=rosa.requester&last_day=2026-11-18"):
        # Opening the session is three.
        statements = story.counting(lambda: browser.get(address))  # noqa: B023
        assert len(statements) - 3 <= 8, (address, statements)


@pytest.mark.on_sqlite
def test_pages_go_both_ways_and_lose_nothing(db, cast) -> None:
    with db.transaction() as session:
        for number in range(60):
            record(session, "assets:imported", subject="assets", actor=PORTAL, facts={"count": number})
    with db.reading() as session:
        every = Entry.tag == "assets:imported"
        first = entries_page(session, every)
        second = entries_page(session, every, before=first.older)
        third = entries_page(session, every, before=second.older)
        seen = [line.number for page in (first, second, third) for line in page.lines]
        assert seen == sorted(seen, reverse=True) and len(set(seen)) == 60
        assert (first.newer, third.older) == (None, None)
        assert entries_page(session, every, after=third.newer).lines == second.lines
        back = entries_page(session, every, after=second.newer)
        assert back.lines == first.lines
        assert (back.newer, back.older) == (None, first.older)


@pytest.mark.on_sqlite
def test_one_entry_is_shown_with_everything_that_proves_it(story, shelves, cast, clock) -> None:
    with shelves.db.transaction() as session:
        record(
            session,
            "comment:written",
            subject="request:SR-000001",
            actor=Actor(name="Rosa Requester", person_id=cast.requester),
            facts={"place": 1},
            personal={"comment": "Thank you <b>all</b>."},
        )
    with shelves.db.reading() as session:
        number = session.scalar(select(func.max(Entry.number)))
    browser = story.browser(cast.compliance)
    assert "No checkpoint covers this entry yet" in browser.get(f"/ledger/{number}")
    clock.pass_time(minutes=2)
    signed = checkpoint(shelves.db, story.portal.signer)
    page = browser.get(f"/ledger/{number}")
    statements = story.counting(lambda: browser.get(f"/ledger/{number}"))
    assert len(statements) - 3 <= 8, statements
    assert "Thank you &lt;b&gt;all&lt;/b&gt;." in page
    assert (
        'href="/requests/SR-000001"' in page and "Rosa Requester" in page and "A comment was written" in page
    )
    with shelves.db.reading() as session:
        entry = session.get_one(Entry, number)
        value = session.get_one(PersonalValue, (number, "comment"))
        assert commitment(value.salt, "Thank you <b>all</b>.") in page
        assert base64.b64encode(value.salt).decode() in page
    steps = re.search(r"Inclusion proof</h2>.*?<code[^>]*>(.*?)</code>", page, re.DOTALL)
    assert steps is not None
    found = _root(leaf_hash(entry.body.encode()), number - 1, signed.size, steps[1].split())
    assert found == read_head(signed.note).root
    browser.get("/ledger/999999", status=404)
    with shelves.db.transaction() as session:
        session.delete(session.get_one(PersonalValue, (number, "comment")))
    assert "erased" in browser.get(f"/ledger/{number}")


def _root(leaf, index, size, proof):
    """RFC 9162 §2.1.3.2."""
    node, last = index, size - 1
    found = leaf
    for step in proof:
        other = base64.b64decode(step.replace("&#43;", "+"))
        if node & 1 or node == last:
            found = node_hash(other, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, other)
        node, last = node >> 1, last >> 1
    return found


@pytest.mark.on_sqlite
def test_what_was_looked_for_is_exported_line_by_line_and_that_is_an_entry(story, shelves, cast) -> None:
    browser = story.browser(cast.compliance)
    with shelves.db.reading() as session:
        wanted = session.execute(
            select(Entry.body).where(Entry.subject == "request:SR-000001").order_by(Entry.number)
        )
        bodies = [row.body for row in wanted]
        size = ledger_head(session).size
    assert browser.get("/ledger/entries.jsonl?subject=SR-000001").splitlines() == bodies
    whole = browser.get("/ledger/entries.jsonl").splitlines()
    assert [json.loads(line)["number"] for line in whole] == list(range(1, size + 2))
    taken = json.loads(whole[-1])
    assert taken["tag"] == "ledger:exported" and taken["actor"] == f"person:{cast.compliance}"
    assert taken["facts"] == {"until": size, "entries": len(bodies), "filter": {"subject": "SR-000001"}}
    story.browser(cast.requester).get("/ledger/entries.jsonl", status=403)
    browser.get("/ledger/entries.jsonl?first_day=soon")
    with shelves.db.reading() as session:
        assert ledger_head(session).size == size + 2, "what cannot be read is not exported"


LOOKED = (
    Looked(),
    Looked(subject="SR-000002"),
    Looked(person="person:7"),
    Looked(person="person:7", part="about"),
    Looked(what="request:submitted"),
    Looked(what="group=decisions"),
    Looked(subject="SR-000002", what="group=people"),
    Looked(first_day=date(2026, 9, 20), last_day=date(2026, 9, 21)),
    Looked(person="person:7", first_day=date(2026, 9, 20)),
)


def test_a_large_ledger_is_not_read_whole(db, cast) -> None:
    """The plan of every statement: an index leads to what is shown, whatever the size."""
    _fill(db)
    plans = []

    def note(connection, cursor, statement, parameters, *rest):
        if "ledger_entry" in statement:
            plans.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with db.reading() as session:
            for looked in LOOKED:
                wanted = condition(session, PORTAL, looked, subjects=RequestSubjects(), zone=BERLIN)
                assert entries_page(session, wanted).lines, looked
                entries_page(session, wanted, before=30_000)
            ledger_head(session)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(plans) > 2 * len(LOOKED)
    sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        for statement, parameters in plans:
            asked = ("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(asked, parameters))
            assert "Seq Scan on ledger_entry" not in plan, (statement, plan)
            if "1 = 1" in statement:
                # All of it, from its end: SQLite calls it a scan, which stops at the limit.
                assert "TEMP B-TREE" not in plan, (statement, plan)
            else:
                assert not re.search(r"SCAN ledger_entry(?! USING)", plan), (statement, plan)


def _fill(db) -> None:
    """40,000 entries of many subjects, people, tags and days; only what indexes look at is as it would be."""
    begin = db.clock() - timedelta(days=200)
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            Entry.__table__.insert(),
            [
                {
                    "number": number,
                    "at": begin + timedelta(minutes=8 * number),
                    "tag": sorted(KNOWN)[number % len(KNOWN)],
                    "subject": f"request:SR-{number % 4000:06d}"
                    if number % 10
                    else f"person:{number // 10 % 300}",
                    "actor": f"person:{number % 300}",
                    "body": '{"facts":{}}',
                }
                for number in range(100, 40_001)
            ],
        )
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE ledger_entry"))


def test_a_reference_is_known_however_it_is_typed() -> None:
    assert [
        reference_of(typed) for typed in ("sr-12", " SR-000012 ", "request:SR-000012", "person:12", "")
    ] == [
        "SR-000012",
        "SR-000012",
        "SR-000012",
        "",
        "",
    ]


def test_an_auditors_menu_leads_nowhere_that_is_refused(story, cast) -> None:
    """Also one's who is an auditor by a group of the organisation's directory, without a mandate of days."""
    auditor = story.browser(cast.auditor)
    menu = re.search(r"<nav.*?</nav>", auditor.get("/"), re.DOTALL)[0]
    assert auditor.path == "/ledger"
    leads = set(re.findall(r'href="(/[^"]*)"', menu))
    assert {"/ledger", "/audits"} <= leads
    for path in leads:
        auditor.get(path)
