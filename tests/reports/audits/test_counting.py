"""Counting an audit's population."""

from __future__ import annotations

from reports.audits.model import AuditState
from reports.audits.ordering import rows_of
from tests.reports.audits.conftest import AuditWorld


def test_the_population_is_what_was_submitted_in_the_period(audits: AuditWorld) -> None:
    world = audits.world
    done, refused = world.fulfilled(), world.rejected()
    world.clock.pass_time(days=20)
    later = world.withdrawn()
    audit = audits.counted()
    assert audit.state is AuditState.COUNTED, audit.why
    with world.db.reading() as session:
        rows = {row["reference"]: row for row in rows_of(session, audit.id)}
    assert set(rows) == {done, refused} and later not in rows
    assert rows[done]["state"] == "fulfilled" and rows[done]["approvals"] == 2
    assert rows[refused]["state"] == "rejected" and rows[refused]["denials"] == 1
    assert audit.count == 2 and audit.sample_size == 2
