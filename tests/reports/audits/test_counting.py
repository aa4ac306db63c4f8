"""Counting an audit's population, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from portal.audit.checkpoint import checkpoint
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldErrors, Forbidden
from portal.identity.model import Unit
from reports.audits.document import FixedRule
from reports.audits.ledger_part import write_leaves
from reports.audits.model import AuditFacts, AuditState, DrawState
from reports.audits.ordering import COUNT, MAKE, Wanted, order, try_again
from reports.audits.scope import Query
from reports.audits.wanted import periods_at
from tests.reports.audits.conftest import NOVEMBER, AuditWorld


def test_the_population_is_what_was_submitted_in_the_period(audits: AuditWorld) -> None:
    world = audits.world
    earlier = world.withdrawn()
    world.shelves.submitted(world.actor_of(world.cast.requester), person="ola.outsider", word="far")
    done, refused = world.fulfilled(), world.rejected()
    world.clock.pass_time(days=20)
    later = world.withdrawn()
    audit = audits.counted()
    assert audit.state is AuditState.COUNTED, audit.why
    rows = audits.rows(audit.id)
    assert list(rows) == sorted(rows) and len(rows) == 4 and later not in rows
    assert rows[earlier]["state"] == "withdrawn" and rows[earlier]["promise"] == "none"
    assert rows[done]["state"] == "fulfilled" and rows[done]["approvals"] == 2
    assert rows[done]["controls"] == ["SOC 2 TSC 2017 CC6.1"]
    assert (rows[refused]["approvals"], rows[refused]["denials"]) == (1, 1)
    assert {row["kind"] for row in rows.values()} == {"normal"}
    assert [row["unit"] for row in rows.values()] == ["holding", "lisbon", "holding", "holding"]
    assert audits.tags(audit.reference) == ["audit:ordered", "audit:counted"]


def test_what_is_left_out_is_counted_and_a_unit_brings_those_below_it(audits: AuditWorld) -> None:
    world = audits.world
    world.withdrawn()
    world.shelves.submitted(world.actor_of(world.cast.requester), person="ola.outsider", word="far")
    world.shelves.work()
    world.clock.pass_time(days=20)
    far = audits.counted(units=("lisbon",), disclosure="scope")
    everything = audits.counted(units=("holding",))
    assert (far.count, everything.count) == (1, 2)
    assert everything.units == ["holding", "lisbon"]
    (reference,) = audits.rows(far.id)
    path = world.shelves.settings.home / "ledger.jsonl"
    withheld = write_leaves(
        path, audits.db, far.before_size or 0, far.after_size or 0, whole=False, references={reference}
    )
    lines = path.read_bytes().splitlines()
    assert len(lines) == far.after_size and 0 < withheld < len(lines)
    assert sum(b'"request:submitted"' in line for line in lines) == 2
    assert withheld == sum(b'"leaf_hash"' in line for line in lines)


@pytest.mark.on_sqlite
def test_a_head_from_before_the_period_is_where_the_proof_begins(audits: AuditWorld) -> None:
    world = audits.world
    world.withdrawn()
    head = checkpoint(audits.db, world.bench.signer)
    assert head is not None
    world.clock.pass_time(days=20)
    second = world.withdrawn()
    world.clock.pass_time(days=30)
    december = (NOVEMBER[0].replace(month=12), NOVEMBER[1].replace(month=12))
    audit = audits.counted(first_day=december[0], last_day=december[1])
    assert audit.before_size == head.size
    assert list(audits.rows(audit.id)) == [second]


@pytest.mark.on_sqlite
def test_a_period_that_is_not_over_and_what_is_not_there_are_refused(audits: AuditWorld) -> None:
    rule, before = FixedRule(kind="fixed", size=2), audits.newest()
    with pytest.raises(FieldErrors) as refused:
        audits.ordered(units=("atlantis",), controls=("SOC 9 X1",), language="tlh")
    assert {error.field for error in refused.value.errors} == {"last_day", "units", "controls", "language"}
    with pytest.raises(FieldErrors) as backwards:
        audits.ordered(first_day=NOVEMBER[1], last_day=NOVEMBER[0])
    assert [error.field for error in backwards.value.errors] == ["last_day"]
    auditor = audits.world.actor_of(audits.world.cast.auditor)
    with pytest.raises(Forbidden), audits.db.transaction() as session:
        order(session, auditor, Wanted(*NOVEMBER, rule))
    assert audits.newest() == before


def test_a_period_up_to_today_ends_at_the_moment_of_the_order(audits: AuditWorld) -> None:
    world = audits.world
    before = world.withdrawn()
    world.clock.pass_time(minutes=1)
    moment = world.clock()
    number = audits.ordered(last_day=moment.date())
    world.clock.pass_time(minutes=1)
    world.shelves.submitted(world.actor_of(world.cast.requester), person="ola.outsider", word="far")
    audits.work()
    audit = audits.audit(number)
    assert audit.state is AuditState.COUNTED, audit.why
    assert list(audits.rows(audit.id)) == [before] and audit.until == moment == audit.ordered_at
    with audits.db.reading() as session:
        told = session.get_one(AuditFacts, audit.id).completeness
        body = session.scalars(select(Entry.body).where(Entry.tag == "audit:ordered")).one()
    assert (told["last"], told["submissions"], told["outside_period"]) == ("SR-000002", 2, 1)
    assert json.loads(body)["facts"]["until"] == moment.isoformat()
    world.clock.pass_time(days=1)
    again = audits.counted(last_day=moment.date())
    assert list(audits.rows(again.id)) == [before, "SR-000002"], "the day is over now"
    assert again.until.isoformat() == "2026-11-18T23:00:00+00:00"


@pytest.mark.on_sqlite
def test_the_zone_of_the_audit_says_which_day_is_today(audits: AuditWorld) -> None:
    with audits.db.transaction() as session:
        session.execute(update(Unit).where(Unit.parent_id.is_(None)).values(timezone="Pacific/Auckland"))
    audits.world.clock.pass_time(hours=6)
    assert audits.world.clock().date() == date(2026, 11, 18), "in Auckland it is the day after"
    audit = audits.audit(audits.ordered(last_day=date(2026, 11, 19)))
    assert audit.until == audit.ordered_at
    for day in (date(2026, 11, 20), date(2026, 11, 21)):
        with pytest.raises(FieldErrors) as refused:
            audits.ordered(first_day=day, last_day=day)
        assert [error.field for error in refused.value.errors] == ["last_day"]


@pytest.mark.on_sqlite
def test_what_fails_says_why_and_can_be_tried_again(audits: AuditWorld) -> None:
    world = audits.world
    world.withdrawn()
    world.clock.pass_time(days=20)

    def broken(job: object) -> None:
        raise RuntimeError

    number = audits.ordered()
    for _ in range(6):
        audits.work(**{COUNT: broken})
        world.clock.pass_time(minutes=10)
    failed = audits.audit(number)
    assert failed.state is AuditState.FAILED and "tried again" in failed.why
    with audits.db.transaction() as session:
        try_again(session, audits.officer, number)
    audits.work()
    assert audits.audit(number).state is AuditState.COUNTED
    draw = audits.drawn(number)
    with pytest.raises(Conflict):
        audits.drawn(number, "another word")
    for _ in range(6):
        audits.work(**{MAKE: broken})
        world.clock.pass_time(minutes=10)
    assert audits.draw(draw).state is DrawState.FAILED
    assert audits.tags(failed.reference) == [
        "audit:ordered",
        "audit:failed",
        "audit:tried-again",
        "audit:counted",
        "audit:nonce-given",
        "audit:failed",
    ]


def test_suggested_periods_are_over_or_end_now_and_a_day_begins_when_the_zone_says() -> None:
    found = periods_at(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "Europe/Berlin")
    assert (str(found["month"].first_day), str(found["month"].last_day)) == ("2026-01-01", "2026-01-31")
    assert (str(found["quarter"].first_day), str(found["quarter"].last_day)) == ("2025-10-01", "2025-12-31")
    assert str(found["year"].last_day) == "2025-12-31"
    assert (str(found["now"].first_day), str(found["now"].last_day)) == ("2026-02-01", "2026-02-01")
    march = Query(NOVEMBER[0].replace(month=3), NOVEMBER[0].replace(month=3, day=31), "Europe/Berlin")
    assert march.begins.isoformat() == "2026-02-28T23:00:00+00:00"
    assert march.until.isoformat() == "2026-03-31T22:00:00+00:00"
