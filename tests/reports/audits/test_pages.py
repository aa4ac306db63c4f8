"""The pages of audits: ordering, the auditor's word, the files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update

from portal.app import create_app
from portal.audit.notes import fingerprint
from portal.core.settings import Settings
from portal.identity.model import Person
from portal.identity.web_sessions import start_session
from portal.wiring import Portal, build
from reports.audits import place
from reports.audits.model import AuditState
from reports.audits.queries import may_see
from tests.fixtures_people import MFA
from tests.reports.audits.conftest import AuditWorld, MadeAudit

ORIGIN = Settings.from_environment({}).public_url


@pytest.fixture
def portal(made: MadeAudit) -> Iterator[Portal]:
    """The whole portal on the database of the audit that was made."""
    portal = build(made.settings, clock=made.audits.world.clock)
    yield portal
    portal.db.dispose()


def browser(portal: Portal, person: int) -> FlaskClient:
    client = create_app(portal=portal).test_client()
    with portal.db.transaction() as session:
        row, token = start_session(session, {})
        row.person_id, row.auth_time, row.acr = person, portal.db.clock(), MFA
    client.set_cookie("countersign", token)
    return client


def read(client: FlaskClient, url: str, status: int = 200) -> str:
    page = client.get(url)
    assert page.status_code == status, page.get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parse(page.get_data(as_text=True))
    return page.get_data(as_text=True)


def post(client: FlaskClient, url: str, form: dict[str, str], token_from: str) -> tuple[int, str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', read(client, token_from))
    assert found
    answer = client.post(url, data={**form, "csrf_token": found[1]}, headers={"Origin": ORIGIN})
    return answer.status_code, answer.get_data(as_text=True), answer.headers.get("Location", "")


def test_an_audit_is_ordered_counted_and_drawn_by_its_pages(made: MadeAudit, portal: Portal) -> None:
    cast = made.audits.world.cast
    officer = browser(portal, cast.compliance)
    assert "Waits for the auditor" not in read(officer, "/audits") and "AR-000001" in read(officer, "/audits")
    form = {
        "period": "own",
        "first_day": "2026-11-01",
        "last_day": "2026-12-31",
        "rule": "fixed",
        "size": "2",
    }
    form |= {"language": "en", "disclosure": "whole"}
    status, text, _ = post(officer, "/audits/new", form, "/audits/new")
    assert status == 422 and "The last day is in the future." in text
    form |= {"last_day": "2026-11-30", "rule": "attribute", "confidence": "0.95", "tolerable": "2,5 %"}
    status, text, _ = post(officer, "/audits/new", form, "/audits/new")
    assert status == 422 and "Give a number, such as 5 or 2.5." in text
    form |= {"tolerable": "2,5"}
    status, text, _ = post(officer, "/audits/new", form | {"period": "month"}, "/audits/new")
    assert status == 422 and 'href="#first_day"' in text and 'href="#last_day"' in text, "another period"
    status, _, where = post(officer, "/audits/new", form, "/audits/new")
    assert (status, where) == (303, "/audits/AR-000002")
    text = read(officer, where)
    assert "It is being counted" in text and "Refresh this page" in text and "live=1" in text
    made.audits.work()
    text = read(officer, where)
    assert "Draw 3 requests" in text and made.audit.root not in text
    audit = made.audits.audit(2)
    assert audit.state is AuditState.COUNTED and audit.root in text and audit.population_digest in text
    assert audit.rule == {"kind": "attribute", "confidence": "0.95", "tolerable": "0.025"}
    assert "Show the audit as it is now" in read(officer, f"{where}?live=1")
    status, text, _ = post(officer, f"{where}/draw", {"nonce": "abc"}, where)
    assert status == 422 and "4 to 200 characters" in text
    status, _, there = post(officer, f"{where}/draw", {"nonce": "=cmd()|<b>word</b>"}, where)
    assert (status, there) == (303, where)
    text = read(officer, where)
    assert "is being made" in text and "<b>word" not in text and f"{where}/draw" not in text


def test_every_download_is_written_down(made: MadeAudit, portal: Portal) -> None:
    auditor = browser(portal, made.audits.world.cast.auditor)
    before = made.audits.tags("AR-000001").count("audit:downloaded")
    text = read(auditor, "/audits/AR-000001")
    for name in place.KEPT:
        assert f"/audits/AR-000001/draws/1/{name}" in text
    assert "python verify.py AR-000001.zip --key KEY" in text
    assert portal.signer.verifiers[0] in text and fingerprint(portal.signer.public_key) in text
    with auditor.get(f"/audits/AR-000001/draws/1/{place.BUNDLE}") as answer:
        assert answer.get_data() == made.bundle.read_bytes()
        assert answer.headers["Content-Disposition"] == "attachment; filename=AR-000001.zip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert hashlib.sha256(answer.get_data()).hexdigest() in text
    assert made.audits.tags("AR-000001").count("audit:downloaded") == before + 1
    for odd in ("draws/2/report.pdf", "draws/1/verify.py", "draws/1/audit.json"):
        assert auditor.get(f"/audits/AR-000001/{odd}").status_code == 404


def test_auditors_read_and_nobody_else_but_compliance_orders(made: MadeAudit, portal: Portal) -> None:
    cast = made.audits.world.cast
    auditor, operator = browser(portal, cast.auditor), browser(portal, cast.operator)
    assert "Order an audit" not in read(auditor, "/audits")
    assert auditor.get("/audits/new").status_code == 403
    assert "The auditor's word" in read(auditor, "/audits/AR-000001").replace("&#39;", "'")
    assert auditor.get("/audits/AR-000404").status_code == 404
    for url in ("/audits", "/audits/AR-000001", "/audits/AR-000001/draws/1/report.pdf"):
        assert operator.get(url).status_code == 403


def test_the_pages_take_few_statements(made: MadeAudit, portal: Portal) -> None:
    officer = browser(portal, made.audits.world.cast.compliance)
    statements: list[str] = []
    for url in ("/audits", "/audits/new", "/audits/AR-000001"):
        officer.get(url)
    event.listen(portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for url in ("/audits", "/audits/new", "/audits/AR-000001"):
        statements.clear()
        officer.get(url)
        # Whose session it is and what waits for its person are counted with every page.
        assert len(statements) - 3 <= 8, (url, statements)


def test_an_audit_up_to_today_says_on_every_page_when_it_was_cut(made: MadeAudit, portal: Portal) -> None:
    officer = browser(portal, made.audits.world.cast.compliance)
    now = made.audits.world.clock().astimezone(ZoneInfo("Europe/Berlin"))
    form = {"period": "own", "first_day": "2026-11-01", "last_day": f"{now:%Y-%m-%d}", "rule": "fixed"}
    form |= {"size": "2", "language": "de", "disclosure": "whole"}
    text = read(officer, "/audits/new")
    assert "If the last day is today, the period ends at the moment of your order." in text
    status, _, where = post(officer, "/audits/new", form, "/audits/new")
    assert status == 303
    days = f"1 November 2026 to {now:%-d %B %Y}, up to {now:%H:%M}"
    text = read(officer, where)
    assert f">{days}<" in text, "in the heading"
    assert f"Requests submitted from {days}, time zone Europe/Berlin" in text
    assert days in read(officer, "/audits")
    with portal.db.transaction() as session:
        session.execute(
            update(Person).where(Person.id == made.audits.world.cast.compliance).values(timezone="Asia/Tokyo")
        )
    assert f">{days} CET<" in read(browser(portal, made.audits.world.cast.compliance), where)
    with portal.db.transaction() as session:
        session.execute(
            update(Person)
            .where(Person.id == made.audits.world.cast.compliance)
            .values(timezone="Europe/Berlin", language="de")
        )
    german = read(browser(portal, made.audits.world.cast.compliance), where)
    assert f"1. November 2026 bis {now.day}. Dezember 2026, bis {now:%H:%M} Uhr" in german


@pytest.mark.on_sqlite
def test_a_reader_who_is_limited_to_units_sees_what_looks_at_nothing_else(audits: AuditWorld) -> None:

    audits.world.withdrawn()
    audits.world.clock.pass_time(days=20)
    numbers = [
        audits.ordered(),
        audits.ordered(units=("lisbon",)),
        audits.ordered(units=("lisbon",), disclosure="scope"),
        audits.ordered(units=("holding",), disclosure="scope"),
    ]
    lisbon = frozenset({"lisbon"})
    assert [may_see(audits.audit(number), lisbon) for number in numbers] == [False, False, True, False]
    assert all(may_see(audits.audit(number), None) for number in numbers)
