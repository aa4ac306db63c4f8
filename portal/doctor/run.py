"""Run all checks, and show what they found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from portal.core.settings import Settings
from portal.doctor.authority import check_authorities
from portal.doctor.check import Check, State
from portal.doctor.holders import check_holders
from portal.doctor.machine import check_machine
from portal.doctor.signer import check_signer
from portal.doctor.surroundings import check_surroundings
from portal.doctor.targets import check_targets
from portal.doctor.timestamps import check_timestamps

MARKS = {State.OK: ("✓", "green"), State.WARN: ("!", "yellow"), State.FAIL: ("✗", "bold red")}


def run(settings: Settings) -> list[Check]:
    """Every check, in the order of the table. Changes nothing."""
    return [
        *check_machine(settings),
        *check_surroundings(settings),
        *check_authorities(settings),
        *check_signer(settings),
        *check_targets(settings),
        *check_holders(settings),
        *check_timestamps(settings),
    ]


def healthy(checks: Iterable[Check]) -> bool:
    """Whether nothing is in the way of the portal's work."""
    return all(check.state is not State.FAIL for check in checks)


def to_json(checks: Iterable[Check]) -> str:
    """The checks for a machine."""
    return json.dumps([asdict(check) for check in checks], indent=2, ensure_ascii=False)


def table_of(checks: Iterable[Check]) -> Table:
    """The checks for a person: what was found, and under it how it is mended."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        mark, style = MARKS[check.state]
        found = Text(check.finding)
        if check.mend:
            found.append(f"\n{check.mend}", style="italic")
        table.add_row(Text(f"{mark} {check.state}", style=style), check.name, found)
    return table


def report(settings: Settings, console: Console, *, as_json: bool = False) -> int:
    """Run all checks and print them; 0 when nothing is in the way, else 1."""
    checks = run(settings)
    if as_json:
        console.file.write(f"{to_json(checks)}\n")
    else:
        console.print(table_of(checks))
    return 0 if healthy(checks) else 1
