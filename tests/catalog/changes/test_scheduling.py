"""An approved request waits for its windows and for the end of freezes; only an emergency goes round them."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from sqlalchemy import select

from catalog.assets.model import Asset
from catalog.changes import tags
from catalog.changes.concerns import RECORD
from catalog.changes.model import Restriction, Scope
from catalog.changes.moving import move_soon
from catalog.changes.scheduling import opening_now
from catalog.entitlements.connector import EntitlementsConnector
from catalog.offerings.model import OfferingVersion
from catalog.offerings.reading import OfferingFileError, read_offering
from catalog.requests.moves import get_locked
from catalog.requests.seal import seal
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.assets import services_folder
from portal.core.language import said
from portal.identity.model import Unit
from tests.catalog.changes.conftest import EVENINGS

#: What is computed does not depend on the kind of database.
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def test_a_request_waits_for_the_next_window_of_its_offering_and_asset_together(calendar):
    calendar.offer(window=EVENINGS)
    with calendar.shelves.db.reading() as session:
        asset = session.scalars(select(Asset)).one()
    calendar.window("thu 22:00-02:00", scope=Scope.ASSET, asset_id=asset.id)

    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester), system="APP-001")

    request, change = calendar.shelves.request(request_id), calendar.change(request_id)
    assert request.state is State.SCHEDULED
    assert request.baton == "The change window"
    assert request.baton_due == change.planned_at == change.shown_at == at("2026-11-19T21:00")
    assert change.planned_until == at("2026-11-19T22:00")
    assert {said(name) for name in change.windows} == {
        "Evenings",
        "Tuesdays 20:00 to 23:00, Thursdays 20:00 to 23:00",
    }
    assert tags.SCHEDULED in calendar.shelves.tags(request_id)
    calendar.clock.time = at("2026-11-19T20:59")
    calendar.shelves.work()
    assert calendar.shelves.shelf.acts == []
    calendar.clock.time = at("2026-11-19T21:00")
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).state is State.FULFILLED
    done = calendar.change(request_id)
    assert done.started_at == done.finished_at == at("2026-11-19T21:00")


@pytest.mark.on_sqlite
def test_the_worker_looks_again_at_the_moment_of_doing(calendar):
    calendar.offer(window=EVENINGS)
    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester))
    calendar.clock.time = at("2026-11-19T22:30")  # the worker was away; the window has closed
    calendar.shelves.work()
    assert calendar.shelves.shelf.acts == []
    assert calendar.shelves.request(request_id).baton_due == at("2026-11-24T19:00")
    assert calendar.mails("change_planned") == [calendar.cast.requester]


@pytest.mark.on_sqlite
def test_a_freeze_moves_what_waits_tells_the_requester_and_lifting_it_moves_it_back(calendar):
    actor = calendar.actor_of(calendar.cast.requester)
    calendar.offer(window=EVENINGS)
    scheduled, pending = calendar.shelves.approved(actor), calendar.shelves.prepared(actor, word="later")
    assert calendar.change(pending).planned_at == at("2026-11-19T19:00")

    freeze = calendar.freeze("2026-11-19T00:00", "2026-12-01T20:30")
    calendar.shelves.work()

    moved = calendar.change(scheduled)
    assert moved.planned_at == calendar.shelves.request(scheduled).baton_due == at("2026-12-01T20:30")
    assert moved.freezes == ["Year-end"]
    assert moved.sequence > 0
    assert calendar.change(pending).planned_at == at("2026-12-01T20:30")
    assert calendar.mails("change_planned") == [calendar.cast.requester]
    assert tags.MOVED in calendar.shelves.tags(scheduled)

    with calendar.shelves.db.transaction() as session:
        session.get_one(Restriction, freeze).ended_at = calendar.clock()
        move_soon(session, "test:lifted")
    calendar.shelves.work()
    assert calendar.change(scheduled).planned_at == at("2026-11-19T19:00")
    calendar.clock.time = at("2026-11-19T19:00")
    calendar.shelves.work()
    assert calendar.shelves.request(scheduled).state is State.FULFILLED


def test_a_freeze_that_is_lifted_lets_go_at_once_what_has_no_window(calendar):
    freeze = calendar.freeze("2026-11-18T00:00", "2026-12-01T00:00")
    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester))
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).state is State.SCHEDULED

    with calendar.shelves.db.transaction() as session:
        session.get_one(Restriction, freeze).ended_at = calendar.clock()
        move_soon(session, "test:lifted")
    calendar.shelves.work()
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).state is State.FULFILLED


@SQLITE
@pytest.mark.parametrize(
    ("scope", "waits"), [("offering", True), ("unit above", True), ("unit beside", False), ("asset", False)]
)
def test_a_freeze_is_for_what_it_is_scoped_to(calendar, scope, waits):
    with calendar.shelves.db.reading() as session:
        units = dict(session.execute(select(Unit.slug, Unit.id)).all())

        offering = session.get_one(OfferingVersion, calendar.shelves.version_id).offering_id
        asset = session.scalars(select(Asset.id)).one()
    parts = {
        "offering": {"scope": Scope.OFFERING, "offering_id": offering},
        "unit above": {"scope": Scope.UNIT, "unit_id": units["holding"]},
        "unit beside": {"scope": Scope.UNIT, "unit_id": units["lisbon"]},
        "asset": {"scope": Scope.ASSET, "asset_id": asset},
    }[scope]
    calendar.freeze("2026-11-18T00:00", "2026-12-01T00:00", **parts)
    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester))
    calendar.shelves.work()
    assert (calendar.shelves.request(request_id).state is State.SCHEDULED) == waits


def test_an_emergency_passes_windows_and_freezes_and_the_ledger_says_so(calendar):
    calendar.offer(window=EVENINGS)
    freeze = calendar.freeze("2026-11-18T00:00", "2026-11-19T20:00")
    request_id = calendar.shelves.prepared(calendar.actor_of(calendar.cast.requester))
    with calendar.shelves.db.transaction() as session:
        request = get_locked(session, request_id)
        request.route = [{**request.route[0], "slug": "emergency-committee"}]
        request.seal = seal(request)
    calendar.shelves.approve(request_id)
    calendar.shelves.work()

    assert calendar.shelves.request(request_id).state is State.FULFILLED
    with calendar.shelves.db.reading() as session:
        body = session.scalars(select(Entry.body).where(Entry.tag == tags.WINDOWS_PASSED)).one()
    facts = json.loads(body)["facts"]
    assert facts == {"otherwise_at": "2026-11-19T20:00:00+00:00", "windows": [0], "freezes": [freeze]}


@SQLITE
def test_where_no_moment_lies_in_every_window_it_is_looked_at_again(calendar):
    calendar.offer(window={"timezone": "Europe/Berlin", "times": ["mon 09:00-10:00"]})
    calendar.window("tue 09:00-10:00")
    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester))
    assert calendar.change(request_id).impossible
    calendar.clock.pass_time(days=1, minutes=1)
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).state is State.SCHEDULED
    assert calendar.shelves.shelf.acts == []


@SQLITE
def test_an_end_is_never_delayed_by_a_freeze(calendar):
    request_id = calendar.shelves.fulfilled(calendar.actor_of(calendar.cast.requester), until="2026-11-20")
    calendar.freeze("2026-11-18T00:00", "2026-12-31T00:00")
    calendar.clock.time = at("2026-11-20T23:30")
    calendar.shelves.work()
    assert calendar.shelves.request(request_id).state is State.ENDED
    assert ("take", "hello") in calendar.shelves.shelf.acts


@SQLITE
@pytest.mark.parametrize(
    ("parts", "opens"),
    [
        # The freeze of the offering itself, by the clock of Berlin.
        (
            {
                "freezes": [
                    {
                        "from": "2026-11-18 00:00",
                        "until": "2026-11-27 18:00",
                        "timezone": "Europe/Berlin",
                        "reason": "Stocktaking",
                    }
                ]
            },
            "2026-12-01T19:00",
        ),
        # One that passes freezes keeps to its own window alone.
        ({"passes_freezes": "Access is taken away on time."}, "2026-11-19T19:00"),
        ({}, "2026-12-03T21:00"),
    ],
)
def test_an_offering_has_freezes_of_its_own_or_passes_all_others(calendar, parts, opens):
    calendar.offer(window=EVENINGS, **parts)
    if "freezes" not in parts:
        calendar.freeze("2026-11-18T00:00", "2026-12-03T00:00")
        calendar.window("thu 22:00-02:00")
    request_id = calendar.shelves.approved(calendar.actor_of(calendar.cast.requester))
    assert calendar.change(request_id).planned_at == at(opens)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'freezes: [{from: "2026-11-18 00:00", until: "2026-11-18 00:00", timezone: UTC, reason: Fire drill}]',
            "a freeze ends after it has begun",
        ),
        (
            'freezes: [{from: "2026-02-30 00:00", until: "2026-11-18 00:00", timezone: UTC, reason: Fire drill}]',
            "there is no day 2026-02-30",
        ),
        (
            'freezes: [{from: "2026-11-18 00:00", until: "2026-11-19 00:00", timezone: Mars, reason: Fire drill}]',
            "there is no time zone 'Mars'",
        ),
        ("affected: answers.reason", "list"),
        ('window: {timezone: Europe/Berlin, times: ["5th mon 09:00-10:00"]}', "times"),
    ],
)
def test_what_an_offering_says_of_its_time_is_checked_when_it_is_read(line, sentence):
    path = services_folder() / "leaver.yaml"
    text = path.read_text(encoding="utf-8").replace("\nstarts: leaves_at\n", f"\nstarts: leaves_at\n{line}\n")
    with pytest.raises(OfferingFileError) as refused:
        read_offering(text.encode(), path.name)
    assert sentence in str(refused.value)


@SQLITE
def test_what_only_ends_or_prolongs_what_there_is_waits_for_nothing(calendar):
    calendar.offer(window=EVENINGS)
    calendar.freeze("2026-11-18T00:00", "2026-12-31T00:00")
    request_id = calendar.shelves.prepared(calendar.actor_of(calendar.cast.requester))
    with calendar.shelves.db.transaction() as session:
        request = get_locked(session, request_id)
        assert opening_now(session, request, emergency=False).at == at("2026-12-31T19:00")
        request.plans = [{**plan, "connector": RECORD} for plan in request.plans]
        assert opening_now(session, request, emergency=False).at == calendar.clock()
    assert EntitlementsConnector.kind == RECORD


@SQLITE
@pytest.mark.parametrize(
    ("slug", "waits"), [("break-glass", False), ("standing-approval", True), ("manager", True)]
)
def test_only_an_emergency_passes_and_no_approval_in_advance_does(calendar, slug, waits):
    calendar.offer(window=EVENINGS)
    request_id = calendar.shelves.prepared(calendar.actor_of(calendar.cast.requester))
    with calendar.shelves.db.transaction() as session:
        request = get_locked(session, request_id)
        request.route = [{**request.route[0], "slug": slug}]
        request.seal = seal(request)
    calendar.shelves.approve(request_id)
    calendar.shelves.work()
    assert (calendar.shelves.request(request_id).state is State.SCHEDULED) == waits
