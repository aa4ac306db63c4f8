"""Audits from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from portal.core.errors import PortalError
from portal.jobs import Workshop
from reports.audits import by_hand, place
from reports.audits.cli import audit_report_commands
from reports.audits.document import FixedRule
from reports.audits.jobs import handlers
from reports.audits.ordering import Wanted
from tests.reports.audits.conftest import NOVEMBER, AuditWorld, MadeAudit


def workshop_of(audits: AuditWorld) -> Workshop:
    shelves = audits.world.shelves
    return Workshop(shelves.db, shelves.settings, handlers(audits.world.bench.signer))


@pytest.mark.on_sqlite
def test_an_audit_is_counted_where_no_worker_runs(audits: AuditWorld) -> None:
    audits.world.withdrawn()
    audits.world.clock.pass_time(days=20)

    def with_portal(command: Any) -> Any:
        return lambda *given, **named: command(audits, *given, **named)

    commands = audit_report_commands(with_portal, workshop_of)
    asked = ["order", "--from", "2026-11-01", "--to", "2026-11-30", "--confidence", "0.95"]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    assert "AR-000001: 1 requests, of which 1 are to be drawn." in done.output
    assert audits.audit(1).root in done.output and "countersign audits draw AR-000001" in done.output
    refused = CliRunner().invoke(commands, [*asked[:-2], "--to", "2027-11-30"])
    assert refused.exit_code == 1 and "The last day is in the future." in refused.output
    listed = CliRunner().invoke(commands, ["list"])
    assert "AR-000001  2026-11-01 to 2026-11-30  1 requests  counted" in listed.output
    today = CliRunner().invoke(commands, ["order", "--from", "2026-12-01", "--to", "2026-12-08"])
    assert today.exit_code == 0, today.output
    local = audits.world.clock().astimezone(ZoneInfo("Europe/Berlin"))
    listed = CliRunner().invoke(commands, ["list"])
    assert f"AR-000002  2026-12-01 to 2026-12-08, up to {local:%H:%M} CET  0 requests" in listed.output


def test_a_saved_bundle_is_a_download(made: MadeAudit, tmp_path: Path) -> None:
    before = made.audits.tags("AR-000001").count("audit:downloaded")
    target = tmp_path / "bundle.zip"
    by_hand.save(workshop_of(made.audits), "AR-000001", 1, place.BUNDLE, target)
    assert target.read_bytes() == made.bundle.read_bytes()
    assert made.audits.tags("AR-000001").count("audit:downloaded") == before + 1
    with pytest.raises(PortalError):
        by_hand.save(workshop_of(made.audits), "AR-000001", 9, place.BUNDLE, target)
    with pytest.raises(PortalError):
        by_hand.counted(
            workshop_of(made.audits), Wanted(NOVEMBER[1], NOVEMBER[0], FixedRule(kind="fixed", size=1))
        )
