"""The compliance officer's list of evidence, and one request's file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from portal.app import create_app
from portal.audit.model import Entry
from portal.core.settings import Settings
from portal.identity.web_sessions import start_session
from portal.wiring import Portal, build
from reports.evidence.queries import PAGE, requests_for_evidence, whole_reference
from reports.evidence.verify import verify_content
from tests.fixtures_people import MFA, StandingClock
from tests.reports.conftest import EvidenceWorld

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def portal(world: EvidenceWorld, settings: Settings, clock: StandingClock) -> Iterator[Portal]:
    """The whole portal on the world's database."""
    made = build(settings, clock=clock)
    yield made
    made.db.dispose()


def browser(portal: Portal, person: int | None) -> FlaskClient:
    client = create_app(portal=portal).test_client()
    if person is not None:
        with portal.db.transaction() as session:
            row, token = start_session(session, {})
            row.person_id, row.auth_time, row.acr = person, portal.db.clock(), MFA
        client.set_cookie("countersign", token)
    return client


def test_every_request_is_listed_with_a_link_to_its_file(world: EvidenceWorld, portal: Portal) -> None:
    first, second = world.withdrawn(), world.reference(world.asked())
    page = browser(portal, world.cast.compliance).get("/evidence")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    html5lib.HTMLParser(strict=True).parse(text)
    assert text.index(f"/requests/{second}/evidence.pdf") < text.index(f"/requests/{first}/evidence.pdf")
    assert "Word hello" in text and "Words on shelves" in text and "Rosa Requester" in text


def test_the_list_takes_few_statements_whatever_its_length(world: EvidenceWorld, portal: Portal) -> None:
    for _ in range(3):
        world.shelves.submitted(world.actor_of(world.cast.requester))
    client = browser(portal, world.cast.compliance)
    statements: list[str] = []
    event.listen(portal.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    client.get("/evidence")
    statements.clear()
    client.get("/evidence")
    once = len(statements)
    assert once <= 8
    world.shelves.submitted(world.actor_of(world.cast.requester))
    statements.clear()
    client.get("/evidence")
    assert len(statements) == once


def test_a_reference_finds_its_request_however_it_is_typed(world: EvidenceWorld, portal: Portal) -> None:
    first, second = world.withdrawn(), world.withdrawn()
    client = browser(portal, world.cast.auditor)
    for typed in (first, first.lower(), "1", " sr-1 "):
        text = client.get("/evidence", query_string={"reference": typed}).get_data(as_text=True)
        assert f"/requests/{first}/evidence.pdf" in text
        assert f"/requests/{second}/evidence.pdf" not in text
    for typed in ("SR-000009", "%", "_", "<script>"):
        text = client.get("/evidence", query_string={"reference": typed}).get_data(as_text=True)
        assert "No request has this reference" in text
        assert "<script>" not in text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("12", "SR-000012"), ("sr-12", "SR-000012"), ("SR-0000", "SR-000000"), ("SR-000012", "SR-000012")],
)
def test_what_is_typed_becomes_a_reference(typed: str, meant: str) -> None:
    assert whole_reference(typed) == meant


def test_pages_follow_one_another_without_a_gap(world: EvidenceWorld) -> None:
    actor = world.actor_of(world.cast.requester)
    made = [world.shelves.submitted(actor) for _ in range(7)]
    seen: list[str] = []
    before = None
    with world.db.reading() as session:
        while True:
            lines, before = requests_for_evidence(session, actor, before=before, limit=3)
            seen += [line.reference for line in lines]
            if before is None:
                break
    assert seen == [f"SR-{number:06d}" for number in range(len(made), 0, -1)]
    assert PAGE == 25


def test_only_those_who_may_read_evidence_get_it(world: EvidenceWorld, portal: Portal) -> None:
    reference = world.withdrawn()
    for path in ("/evidence", f"/requests/{reference}/evidence.pdf"):
        assert browser(portal, None).get(path).status_code in {302, 303}
        for person in (world.cast.requester, world.cast.outsider, world.cast.operator):
            assert browser(portal, person).get(path).status_code == 403
    assert "evidence:downloaded" not in world.tags(f"evidence:{reference}")


def test_a_download_is_the_signed_file_and_is_written_down(world: EvidenceWorld, portal: Portal) -> None:
    reference = world.fulfilled()
    answer = browser(portal, world.cast.compliance).get(f"/requests/{reference}/evidence.pdf")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{reference}.pdf"'
    assert verify_content(answer.data).holds
    with portal.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "evidence:downloaded")).one()
    assert entry.actor == f"person:{world.cast.compliance}"


def test_an_unknown_reference_is_not_found(world: EvidenceWorld, portal: Portal) -> None:
    for reference in ("SR-999999", "nonsense", "SR-000001%0d%0aX"):
        answer = browser(portal, world.cast.compliance).get(f"/requests/{reference}/evidence.pdf")
        assert answer.status_code == 404


def test_a_file_that_cannot_be_made_is_said_on_a_page_and_holds_nothing_up(
    world: EvidenceWorld, portal: Portal, settings: Settings
) -> None:
    request_id = world.asked()
    reference = world.reference(request_id)
    assert world.key
    (settings.keys_folder / "pdf-signing.pem").chmod(0o644)
    client = browser(portal, world.cast.compliance)
    answer = client.get(f"/requests/{reference}/evidence.pdf")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "The evidence could not be made" in text and "nothing waits for this file" in text
    assert "evidence:downloaded" not in world.tags(f"evidence:{reference}")
    world.decide(request_id, world.cast.manager)
    (settings.keys_folder / "pdf-signing.pem").chmod(0o600)
    assert client.get(f"/requests/{reference}/evidence.pdf").status_code == 200


def test_whoever_gets_one_file_gets_the_verifier_and_the_key_with_it(
    world: EvidenceWorld, portal: Portal, tmp_path: Path
) -> None:
    reference = world.withdrawn()
    client = browser(portal, world.cast.compliance)
    page = client.get("/evidence").get_data(as_text=True)
    assert f"verify.py {reference}.pdf --key KEY" in page
    for name in ("verify.py", "recount.py"):
        file = client.get(f"/evidence/{name}")
        assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert f'href="/evidence/{name}"' in page
        (tmp_path / name).write_bytes(file.data)
        assert browser(portal, world.cast.requester).get(f"/evidence/{name}").status_code == 403
    key = html5lib.parse(page, namespaceHTMLElements=False).find(".//button[@data-copy]").get("data-copy")
    (tmp_path / f"{reference}.pdf").write_bytes(client.get(f"/requests/{reference}/evidence.pdf").data)
    for name in ("verify.py", "recount.py"):
        command = [sys.executable, "-I", name, f"{reference}.pdf", "--key", key]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
