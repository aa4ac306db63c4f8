"""The pages of figures as a browser gets them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from approvals.routing.model import StageState
from catalog.requests.states import State
from portal.app import create_app
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.web_sessions import start_session
from portal.wiring import Portal, build
from reports.figures.parts import PARTS
from tests.fixtures_people import MFA, StandingClock
from tests.reports.figures.conftest import Written

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def portal(written: Written, settings: Settings, clock: StandingClock) -> Iterator[Portal]:
    made = build(settings, clock=clock)
    yield made
    made.db.dispose()


@pytest.fixture
def app(portal: Portal) -> Flask:
    return create_app(portal=portal)


def browser(app: Flask, person: int) -> FlaskClient:
    db, client = app.extensions["countersign"].get(Database), app.test_client()
    with db.transaction() as session:
        row, token = start_session(session, {})
        row.person_id, row.auth_time, row.acr = person, db.clock(), MFA
    client.set_cookie("countersign", token)
    return client


def test_pages_are_for_those_who_answer_for_something(written: Written, app: Flask) -> None:
    written.offering("role", "=Role()")
    for person, status in (
        (written.cast.compliance, 200),
        (written.cast.owner, 200),
        (written.cast.head, 200),
        (written.cast.requester, 403),
        (written.cast.auditor, 403),
    ):
        assert browser(app, person).get("/figures").status_code == status
    client = browser(app, written.cast.compliance)
    assert 'href="/figures" aria-current="page"' in client.get("/figures").get_data(as_text=True)
    assert 'href="/figures"' not in browser(app, written.cast.requester).get("/requests").get_data(
        as_text=True
    )
    for path in ("/figures/nothing", "/figures/speed/nothing.csv", "/figures/speed/refusals.csv"):
        assert client.get(path).status_code == 404


def test_every_page_is_sound_and_takes_a_constant_number_of_statements(written: Written, app: Flask) -> None:
    client = browser(app, written.cast.compliance)
    statements: list[str] = []
    event.listen(
        app.extensions["countersign"].get(Database).engine,
        "before_cursor_execute",
        lambda *args: statements.append(args[2]),
    )
    for empty in (True, False):
        for part in PARTS:
            client.get(f"/figures/{part}")
            statements.clear()
            page = client.get(f"/figures/{part}", query_string={"period": "month", "unit": "holding"})
            text = page.get_data(as_text=True)
            assert page.status_code == 200
            html5lib.HTMLParser(strict=True).parse(text)
            assert len(statements) <= 8, (part, statements)
            assert ("<svg xmlns" in text) is not empty
        if empty:
            for number in range(10):
                written.decided(written.person(f"Person {number}"), offering=("role", "rule")[number % 2])
            written.review()


def test_a_charts_numbers_are_a_file_in_which_text_stays_text(written: Written, app: Flask) -> None:
    written.offering("role", "=Role()")
    written.request(State.FULFILLED, promised_by=written.clock(), fulfilled_at=written.at(hours=1))
    client = browser(app, written.cast.compliance)
    page = client.get("/figures?period=month").get_data(as_text=True)
    address = "/figures/speed/promises-by-offering.csv?period=month"
    assert f'href="{address}"' in page
    answer = client.get(address)
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows == [
        ["Offering", "Kept in time", "Missed", "Not due yet", "No promise", "All"],
        ["'=Role()", "1", "0", "0", "0", "1"],
    ]
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="promises-by-offering-2026-11-01-2026-11-18.csv"'
    )
    assert browser(app, written.cast.requester).get(address).status_code == 403


def test_days_of_ones_own_are_kept_in_every_address_and_never_narrow_signs_of_care(
    written: Written, app: Flask
) -> None:
    request = written.request()
    written.stage(request, StageState.APPROVED, closed_at=written.at(hours=1))
    client = browser(app, written.cast.compliance)
    own = {"period": "own", "from": "2026-11-16", "to": "2026-11-20", "offering": "role"}
    page = client.get("/figures", query_string=own).get_data(as_text=True)
    assert "16 November 2026 to 18 November 2026" in page, "a day that has not come is not counted"
    assert "from=2026-11-16&amp;to=2026-11-18&amp;offering=role" in page
    care = client.get("/figures/care", query_string=own).get_data(as_text=True)
    assert "1 October 2026 to 18 November 2026" in care
    assert 'name="from"' not in care and 'name="offering"' not in care
    for wrong in (
        {"from": "2026-12-01", "to": "2026-12-02"},
        {"from": "x", "to": ""},
        {"from": "2001-01-01", "to": "2026-01-01"},
    ):
        text = client.get("/figures", query_string={"period": "own", **wrong}).get_data(as_text=True)
        assert "so this quarter is shown" in text
