"""`countersign reconcile`; the roof gives it the portal that it runs in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

# What it does is imported inside it: the command line starts fast, also where no database is.

OPEN_FINDINGS, NOT_READ = 1, 2


def reconcile_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`reconcile`. `with_portal` wraps a command so that it is given the portal."""

    @click.command()
    @click.option("--connector", "kinds", multiple=True, help="Read this target alone; may be given again.")
    @click.option("--json", "as_json", is_flag=True, help="Print the readings and findings as JSON.")
    @with_portal
    def reconcile(portal: Any, kinds: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001  (click passes it by name)
        """Compare what is live on the targets with what requests allow.

        Exits with 0 when all is explained, 1 when findings are open, and 2 when none is and a target could not be read.
        """
        from catalog.reconciliation.queries import open_findings
        from catalog.reconciliation.run import reconcile_now, targets_of

        wanted = kinds or targets_of(portal.connectors)
        readings = reconcile_now(portal.db, portal.connectors, wanted)
        with portal.db.reading() as session:
            findings = open_findings(session, wanted)
        if as_json:
            click.echo(json.dumps(_document(readings, findings), indent=2, ensure_ascii=False))
        else:
            for reading in readings:
                click.echo(_line(reading))
            for finding in findings:
                click.echo(f"  {finding.kind.value}: {finding.label} [{finding.key}]")
        if findings:
            raise click.exceptions.Exit(OPEN_FINDINGS)
        if not all(reading.was_read for reading in readings):
            raise click.exceptions.Exit(NOT_READ)

    return reconcile


def _line(reading: Any) -> str:
    if not reading.was_read:
        return f"{reading.connector}: not read. {reading.why}"
    return (
        f"{reading.connector}: {reading.explained} of {reading.live} explained, "
        f"{reading.opened} new findings, {reading.closed} closed"
    )


def _document(readings: Any, findings: Any) -> dict[str, Any]:
    return {
        "readings": [
            {
                "connector": reading.connector,
                "read": reading.was_read,
                "at": reading.finished_at.isoformat(),
                "live": reading.live,
                "explained": reading.explained,
                "opened": reading.opened,
                "closed": reading.closed,
                "why": str(reading.why or ""),
            }
            for reading in readings
        ],
        "findings": [
            {
                "number": finding.id,
                "connector": finding.connector,
                "key": finding.key,
                "kind": finding.kind.value,
                "label": str(finding.label),
                "owner": finding.owner,
                "first_seen": finding.first_seen_at.isoformat(),
                "last_seen": finding.last_seen_at.isoformat(),
                "differences": finding.differences,
            }
            for finding in findings
        ],
    }
