"""Every page that an auditor's account reads: its own is answered, what is outside of its scope is nowhere, not even as a number."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pypdf
import pytest
from sqlalchemy import select

from catalog.access_reviews.model import Reviewer
from catalog.access_reviews.scope import Scope
from catalog.assets.model import Asset
from catalog.attachments.model import Attachment
from catalog.changes.model import CalendarFeed, ChangedAsset, Kind, PlannedChange, Restriction
from catalog.changes.model import Scope as Wide
from catalog.entitlements.extending.model import Extension
from catalog.entitlements.model import Entitlement
from catalog.explaining.model import Trace
from catalog.fulfilment.model import Artefact, Step
from catalog.reconciliation.model import Finding, FindingKind, FindingState, Reading
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.checkpoint import checkpoint
from portal.audit.model import Entry
from portal.identity.actor import PORTAL
from portal.identity.auditors.giving import give_mandate
from portal.identity.model import Unit
from portal.web.auditors import READS
from reports.audits import place
from reports.audits.model import Audit, AuditDraw, AuditFile, AuditState, DrawState
from tests.catalog.access_reviews.conftest import campaigns
from tests.portal.identity.auditors.conftest import FOREIGN, LISBON, OWN

__all__ = ["campaigns"]

pytestmark = [pytest.mark.on_sqlite]
#: What is foreign has these in its names; none of them may stand on any page.
BEYOND = (
    FOREIGN,
    "SR-000003",
    "kestrel",
    "Kestrel",
    "Rosa Requester",
    "rosa.requester",
    "4711",
    "AR-000002",
    "Holding alone",
)


@dataclass
class Estate:
    """Of everything one thing within the scope, and one beyond it: their numbers."""

    entitlements: tuple[int, int]
    #: The third is of a request in scope, and a request beyond it takes it away.
    findings: tuple[int, int, int]
    reviews: tuple[int, int]
    files: tuple[int, int]
    entries: tuple[int, int]
    mine: list[str] = field(default_factory=list)


@pytest.fixture
def estate(campaigns: Any, cast: Any, actor_of: Any, clock: Any, request: pytest.FixtureRequest) -> Estate:
    """SR-000001 of Lisbon, SR-000002 and SR-000003 of the holding, and whatever came of each. Then the portal stands."""
    shelves = campaigns.shelves
    own, foreign = campaigns.granted("heron", to=cast.outsider), campaigns.granted("kestrel")
    shelves.submitted(actor_of(cast.requester), word="kestrel")
    reviews = (
        campaigns.opened(name="Lisbon alone", scope=Scope(units=("lisbon",))),
        campaigns.opened(name="Holding alone"),
    )
    web = request.getfixturevalue("web")
    with shelves.db.transaction() as session:
        requests = session.scalars(select(Request).order_by(Request.id)).all()
        # The auditor was asked as a reviewer, before their account became an auditor's.
        session.add(Reviewer(review_id=reviews[1], person_id=cast.auditor, told_at=clock()))
        session.add(
            Extension(request_id=requests[2].id, entitlement_id=own, ended_before=clock(), until=clock())
        )
        files = []
        for one, word in zip(requests[:2], ("heron", "kestrel"), strict=True):
            content = f"The file of {word}".encode()
            step = session.scalars(select(Step).where(Step.request_id == one.id)).one()
            session.add(
                Artefact(
                    request_id=one.id,
                    step_id=step.id,
                    name=f"{word}.pem",
                    content=content,
                    digest="sha256:" + hashlib.sha256(content).hexdigest(),
                )
            )
            attached = Attachment(
                digest=web.portal.store.put(content),
                size=len(content),
                kind="txt",
                name=f"{word}.txt",
                uploader_id=one.requester_id,
                created_at=clock(),
                request_id=one.id,
            )
            session.add(attached)
            files.append(attached)
        findings = [
            finding(clock(), label, entitlement, taken)
            for label, entitlement, taken in (
                ("A heron that drifted", own, None),
                ("A kestrel that drifted", foreign, None),
                ("A heron that somebody takes away", own, requests[2].id),
            )
        ]
        session.add_all(findings)
        session.add(
            Reading(
                connector="shelf",
                started_at=clock(),
                finished_at=clock(),
                was_read=True,
                live=4711,
                explained=4711,
            )
        )
        for number, (unit, name) in enumerate((("lisbon", "heron"), ("holding", "kestrel")), 1):
            add_audit(session, web.portal.settings, clock(), number, unit, f"The report of {name}".encode())
        add_changes(session, clock(), cast)
        session.flush()
        made = Estate(
            (own, foreign),
            (findings[0].id, findings[1].id, findings[2].id),
            reviews,
            (files[0].id, files[1].id),
            (first_entry(session, OWN), first_entry(session, FOREIGN)),
        )
    checkpoint(shelves.db, web.portal.signer)
    return made


def finding(at: datetime, label: str, entitlement: int, request: int | None) -> Finding:
    return Finding(
        connector="shelf",
        key=label,
        open_key=hashlib.sha256(label.encode()).hexdigest(),
        kind=FindingKind.DRIFTED,
        state=FindingState.OPEN,
        label=label,
        facts={"word": label},
        entitlement_id=entitlement,
        first_seen_at=at,
        last_seen_at=at,
        request_id=request,
    )


def add_audit(session: Any, settings: Any, at: datetime, number: int, unit: str, content: bytes) -> None:
    """An audit of one unit that is made, with one file that lies where it should."""
    audit = Audit(
        reference=f"AR-{number:06d}",
        ordered_at=at,
        first_day=date(2026, 10, 1),
        last_day=date(2026, 10, 31),
        until=datetime(2026, 10, 31, 23, tzinfo=UTC),
        zone="Europe/Berlin",
        units=[unit],
        rule={"kind": "fixed", "size": 1},
        language="en",
        disclosure="scope",
        state=AuditState.COUNTED,
        root="x",
        as_of=at,
        count=4711 if unit == "holding" else 1,
        population_digest="sha256:x",
        sample_size=1,
        before_size=0,
        after_size=1,
    )
    session.add(audit)
    session.flush()
    draw = AuditDraw(
        audit_id=audit.id, number=1, nonce="blue heron" if unit == "lisbon" else "kestrel", given_at=at,
        drawn=[], state=DrawState.MADE, made_at=at, finished_at=at,
    )  # fmt: skip
    session.add(draw)
    session.flush()
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    session.add(AuditFile(draw_id=draw.id, name=place.REPORT, digest=digest, bytes=len(content)))
    path = place.path_of(settings, place.REPORT, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def add_changes(session: Any, at: datetime, cast: Any) -> None:
    """Both are planned for the same asset at the same time, and there is a freeze for all and one for somebody else's asset."""
    holding, lisbon = session.scalars(select(Unit).order_by(Unit.id)).all()
    ours, theirs = (
        Asset(
            asset_id=asset_id,
            name=f"{name}'s system",
            kind="application",
            criticality="low",
            owner_id=cast.owner,
            unit_id=unit.id,
        )
        for asset_id, name, unit in (("APP-001", "Heron", lisbon), ("APP-002", "Kestrel", holding))
    )
    session.add_all((ours, theirs))
    session.flush()
    for change in session.scalars(select(PlannedChange).order_by(PlannedChange.id)):
        session.add(ChangedAsset(change_id=change.id, asset_id=ours.id))
        change.concerns = {**change.concerns, "assets": [ours.id]}
        change.shown_at = at
    days = {"begins_at": at - timedelta(days=1), "ends_at": at + timedelta(days=1)}
    for name, scope, asset in (
        ("Frozen for all", Wide.ALL, None),
        ("Frozen for Kestrel", Wide.ASSET, theirs.id),
        ("Frozen for Heron", Wide.ASSET, ours.id),
    ):
        session.add(
            Restriction(
                kind=Kind.FREEZE, name=name, scope=scope, asset_id=asset, timezone="Europe/Berlin",
                set_by_id=cast.operator, set_at=at, **days,
            )
        )  # fmt: skip


def first_entry(session: Any, reference: str) -> int:
    found = session.scalars(
        select(Entry.number).where(Entry.subject == f"request:{reference}").order_by(Entry.number).limit(1)
    )
    return int(found.one())


#: By endpoint: an address within the scope, what it shows, and addresses beyond it.
Answers = dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]


def answers(estate: Estate) -> Answers:
    """One request of each kind that the account may make, and what it may not."""
    (own, foreign), (ours, theirs) = estate.entitlements, estate.reviews
    entry, other = estate.entries
    nothing: tuple[str, ...] = ()
    return {
        "account.show": ("/me", ("Ada Auditor",), nothing),
        "requests.show": (f"/requests/{OWN}", (OWN, "Ola Outsider"), (f"/requests/{FOREIGN}", "/requests/SR-000003")),
        "requests.progress": (f"/requests/{OWN}/progress", ("Done",), (f"/requests/{FOREIGN}/progress",)),
        "requests.artefact": (
            f"/requests/{OWN}/files/heron.pem",
            ("The file of heron",),
            (f"/requests/{FOREIGN}/files/kestrel.pem", f"/requests/{OWN}/files/kestrel.pem"),
        ),
        "attachments.show": (
            f"/requests/{OWN}/attachments/{estate.files[0]}",
            ("The file of heron",),
            (f"/requests/{FOREIGN}/attachments/{estate.files[1]}", f"/requests/{OWN}/attachments/{estate.files[1]}"),
        ),
        "entitlements.index": ("/entitlements?of=all&show=all", (OWN,), nothing),
        "entitlements.table": ("/entitlements/list.csv?of=all&show=all", (OWN, "heron"), nothing),
        "entitlements.show": (f"/entitlements/{own}", (OWN,), (f"/entitlements/{foreign}",)),
        "access_reviews.index": ("/access-reviews", ("Lisbon alone",), nothing),
        "access_reviews.show": (f"/access-reviews/{ours}", ("Lisbon alone",), (f"/access-reviews/{theirs}",)),
        "access_reviews.items": (f"/access-reviews/{ours}/items", (OWN,), (f"/access-reviews/{theirs}/items",)),
        "access_reviews.table": (f"/access-reviews/{ours}/items.csv", (OWN,), (f"/access-reviews/{theirs}/items.csv",)),
        "access_review_results.result": (
            f"/access-reviews/{ours}/result.pdf",
            ("%PDF-", OWN),
            (f"/access-reviews/{theirs}/result.pdf",),
        ),
        "reconciliation.index": ("/reconciliation", ("A heron that drifted", "A heron that somebody"), nothing),
        "reconciliation.show": (
            f"/reconciliation/findings/{estate.findings[2]}",
            ("A heron that somebody takes away", OWN),
            (f"/reconciliation/findings/{estate.findings[1]}",),
        ),
        "explain.show": (f"/explain?q={OWN}", (f"/requests/{OWN}",), nothing),
        "changes.index": ("/changes", (OWN, "Frozen for all", "Frozen for Heron"), nothing),
        "evidence.index": ("/evidence", (OWN,), nothing),
        "evidence.request": (f"/requests/{OWN}/evidence.pdf", ("%PDF-", OWN), (f"/requests/{FOREIGN}/evidence.pdf",)),
        "evidence.verifier": ("/evidence/verify.py", ("#!/usr/bin/env python3",), nothing),
        "evidence.recount": ("/evidence/recount.py", ("#!/usr/bin/env python3",), nothing),
        "audits.index": ("/audits", ("AR-000001",), nothing),
        "audits.show": ("/audits/AR-000001", ("AR-000001", "blue heron"), ("/audits/AR-000002",)),
        "audits.download": (
            "/audits/AR-000001/draws/1/report.pdf",
            ("The report of heron",),
            ("/audits/AR-000002/draws/1/report.pdf",),
        ),
        "ledger.index": ("/ledger", (OWN,), nothing),
        "ledger.checkpoint": ("/ledger/checkpoint", ("/ledger\n",), nothing),
        "ledger.entry": (f"/ledger/{entry}", (OWN,), (f"/ledger/{other}",)),
        "ledger.export": ("/ledger/entries.jsonl", (OWN,), nothing),
        "holders.index": ("/ledger/holders", ("The last checkpoint is of",), nothing),
    }  # fmt: skip


@pytest.fixture
def auditor(estate: Estate, web: Any, cast: Any) -> Any:
    with web.portal.db.transaction() as session:
        give_mandate(session, PORTAL, "ada.auditor", LISBON)
    return web.browser(cast.auditor)


def told(content: bytes) -> str:
    """What a page says; a PDF by the facts within it, which its pages show."""
    if not content.startswith(b"%PDF-"):
        return content.decode()
    files = pypdf.PdfReader(io.BytesIO(content)).attachments
    (facts,) = [found[0] for name, found in files.items() if name in {"evidence.json", "access-review.json"}]
    return "%PDF-" + facts.decode()


def test_each_page_shows_its_own_and_nothing_of_what_is_beyond_its_scope(
    estate: Estate, auditor: Any
) -> None:
    every = answers(estate)
    assert set(every) == READS, "a page that is new here says what it shows to an account with a scope"
    for endpoint, (address, shows, beyond) in every.items():
        with auditor.client.get(address) as answer:
            assert answer.status_code == 200, endpoint
            page = told(answer.get_data())
        for text in shows:
            assert text in page, f"{endpoint} does not show {text}"
        # A request's file is the same whoever takes it: of its target it says how much is live there, and how much explained.
        for text in set(BEYOND) - ({"4711"} if endpoint == "evidence.request" else set()):
            assert text not in page, f"{endpoint} shows {text}"
        for other in beyond:
            page = auditor.get(other, status=404).replace(other, "")
            for text in BEYOND:
                assert text not in page, f"{other} shows {text}"


def test_looking_for_what_is_beyond_the_scope_finds_nothing(
    estate: Estate, auditor: Any, web: Any, clock: Any
) -> None:
    """Filters, searches and pages further on: each answers as if there were no such thing."""
    for address in (
        f"/explain?q={FOREIGN}",
        "/explain?q=kestrel",
        "/entitlements?of=all&show=all&q=kestrel",
        "/entitlements?of=mine&show=all",
        "/entitlements/list.csv?of=all&show=all&q=kestrel",
        f"/evidence?reference={FOREIGN}",
        f"/ledger?subject={FOREIGN}",
        "/ledger?person=rosa.requester",
        f"/ledger/entries.jsonl?subject={FOREIGN}",
        "/changes?unit=holding",
        "/reconciliation?kind=drifted&connector=shelf",
        "/access-reviews?before=99",
        "/audits?before=99",
    ):
        page = auditor.get(address)
        typed = {FOREIGN, "kestrel", "rosa.requester"} if "=" in address else set()
        # What was typed stands in the form that it was typed into.
        page = re.sub(r'value="[^"]*"', "", page).replace("“kestrel”", "").replace(f"“{FOREIGN}”", "")
        page = page.replace(address.replace("&", "&amp;"), "").replace(address, "")
        for text in set(BEYOND) - (typed if "/explain" in address else set()):
            assert text not in page, f"{address} shows {text}"
        for number in (*estate.entitlements[1:],):
            assert f"/entitlements/{number}" not in page, address
    assert "No entry fits" in auditor.get(f"/ledger?subject={FOREIGN}")
    assert auditor.get(f"/ledger/entries.jsonl?subject={FOREIGN}") == ""
    # A name that leads to a thousand things beyond the scope and to one within it: they neither crowd it out nor are counted.
    own, foreign = estate.entitlements
    with web.portal.db.transaction() as session:
        step = {one.id: one.step_id for one in session.scalars(select(Entitlement))}
        for number in range(1_100):
            held = own if number == 0 else foreign
            session.add(
                Trace(
                    kind="name",
                    value="many",
                    first="",
                    last="",
                    since=clock(),
                    entitlement_id=held,
                    step_id=step[held],
                )
            )
    page = auditor.get("/explain?q=many")
    assert f"/requests/{OWN}" in page
    assert FOREIGN not in page


def test_neither_a_change_at_the_same_asset_nor_ones_own_request_of_before_is_told_of(
    estate: Estate, auditor: Any, web: Any, cast: Any
) -> None:
    with web.portal.db.transaction() as session:
        for one in session.scalars(select(Request).order_by(Request.id)):
            one.state = State.SCHEDULED
    page = auditor.get(f"/requests/{OWN}")
    assert "Another change" not in page and FOREIGN not in page
    seen = web.browser(cast.compliance).get(f"/requests/{OWN}")
    assert FOREIGN in seen, "they are at the same time and at the same asset"
    # What somebody asked for before their account became an auditor's is as foreign to it.
    with web.portal.db.transaction() as session:
        session.scalars(select(Request).where(Request.reference == FOREIGN)).one().requester_id = cast.auditor
    auditor.get(f"/entitlements/{estate.entitlements[1]}", status=404)
    auditor.get(f"/requests/{FOREIGN}", status=404)


# ---- Without a browser: tokens and feeds, made before the account became an auditor's and after -------------------------


@pytest.fixture
def program(estate: Estate, web: Any, cast: Any, clock: Any) -> Any:
    """A token and a calendar's secret address of the person who is to be the auditor."""
    from catalog.changes.feed import make_feed
    from portal.identity.tokens.create import create_token

    browser = web.browser(cast.auditor)
    with web.portal.db.transaction() as session:
        actor = _actor(session, cast.auditor)
        _, token = create_token(
            session, actor, name="a script", scopes=["explain"], until=clock().date() + timedelta(days=300)
        )
        feed = make_feed(session, actor)
    client = browser.client.application.test_client()

    def ask(of: str) -> tuple[int, str]:
        if of == "feed":
            answer = client.get(f"/changes/feed/{feed}.ics")
        else:
            answer = client.get(f"/api/v1/explain?q={of}", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_data(as_text=True)

    return ask


def _actor(session: Any, person: int) -> Any:
    from portal.identity.model import Person, WebSession
    from portal.identity.web_sessions import actor_of

    return actor_of(session, session.get_one(Person, person), WebSession(acr="", amr=[]))


def test_a_token_and_a_feed_of_before_the_mandate_show_what_the_pages_would(
    program: Callable[[str], tuple[int, str]], web: Any
) -> None:
    assert FOREIGN in program(FOREIGN)[1], "the account was an auditor's without limits"
    with web.portal.db.transaction() as session:
        give_mandate(session, PORTAL, "ada.auditor", LISBON)
    for asked in (OWN, FOREIGN, "kestrel", "feed"):
        status, text = program(asked)
        assert status == 200
        assert (OWN in text) == (asked in {OWN, "feed"}), asked
        if asked in {OWN, "feed"}:
            assert not [one for one in BEYOND if one in text], asked
        else:
            assert '"unknown"' in text and '"allowed": []' in text
    feed = program("feed")[1]
    assert "Frozen for all" in feed and "Frozen for Heron" in feed


def test_outside_of_its_days_token_and_feed_show_nothing_at_all(
    program: Callable[[str], tuple[int, str]], web: Any, clock: Any
) -> None:
    with web.portal.db.transaction() as session:
        give_mandate(session, PORTAL, "ada.auditor", LISBON)
    for moment, inside in (
        (datetime(2026, 11, 17, 22, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 17, 23, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 23, 0, 0, tzinfo=UTC), False),
        (datetime(2027, 2, 1, tzinfo=UTC), False),
    ):
        clock.time = moment
        status, text = program(OWN)
        assert (status, OWN in text) == ((200, True) if inside else (403, False)), moment
        assert ("not in force" in text) is not inside
        status, text = program("feed")
        assert (status, "BEGIN:VCALENDAR" in text) == ((200, True) if inside else (404, False)), moment


def test_neither_changes_anything(program: Callable[[str], tuple[int, str]], web: Any) -> None:
    """No entry, no row: what a program asks for is answered and not written down, and nothing else is at its address."""
    with web.portal.db.transaction() as session:
        give_mandate(session, PORTAL, "ada.auditor", LISBON)
    with web.portal.db.reading() as session:
        before = session.scalars(select(Entry.number).order_by(Entry.number.desc()).limit(1)).one()
        feeds = session.scalars(select(CalendarFeed.id).order_by(CalendarFeed.id)).all()
    for asked in (OWN, FOREIGN, "feed"):
        program(asked)
    with web.portal.db.reading() as session:
        assert session.scalars(select(Entry.number).order_by(Entry.number.desc()).limit(1)).one() == before
        assert session.scalars(select(CalendarFeed.id).order_by(CalendarFeed.id)).all() == feeds
    rules = [
        rule
        for rule in web.app.url_map.iter_rules()
        if rule.endpoint.startswith(("api.", "changes.subscribed"))
    ]
    assert len(rules) >= 3
    assert not [rule for rule in rules if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}]
