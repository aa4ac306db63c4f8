"""The commands of audits; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(highlight=False)
errors = Console(stderr=True)
_DAY = click.DateTime(["%Y-%m-%d"])

# What they do is imported inside them: the command line starts fast, also where no database is.


def audit_report_commands(
    with_portal: Callable[[Any], Any], workshop_of: Callable[[Any], Any]
) -> click.Group:
    """`audits order|draw|list`. `with_portal` wraps a command so that it is given the portal, which tasks need a workshop of."""

    @click.group()
    def audits() -> None:
        """Reports over a period: population, sample, and all that proves them."""

    @audits.command("order")
    @click.option("--from", "first", type=_DAY, required=True, help="First day, such as 2026-01-01.")
    @click.option("--to", "last", type=_DAY, required=True, help="Last day, included: today at the latest.")
    @click.option("--unit", "units", multiple=True, help="Only this unit and those below it, by slug.")
    @click.option("--offering", "offerings", multiple=True, help="Only this service, by slug.")
    @click.option("--control", "controls", multiple=True, help='Only what supports it: "FRAMEWORK ID".')
    @click.option("--size", type=click.IntRange(1, 10_000), help="Sample so many [default: 25].")
    @click.option("--percent", help="Sample a share of the population, at least 5 and at most 60.")
    @click.option("--confidence", help="Attribute sampling: how sure, such as 0.95, with --tolerable.")
    @click.option(
        "--tolerable", default="0.05", show_default=True, help="With --confidence: as a part of one."
    )
    @click.option("--language", default="en", show_default=True, help="Language of the pages.")
    @click.option("--scope-only", is_flag=True, help="Of entries about other requests show only the hash.")
    @click.option("--nonce", help="The auditor's word: draw and make the bundle at once.")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the bundle goes.")
    @with_portal
    def order(portal: Any, **given: Any) -> None:
        """Count a period's requests; with --nonce draw the sample too and save the bundle.

        With today as the last day the period ends at the moment of the order.
        """
        from portal.core.errors import PortalError
        from reports.audits.by_hand import counted
        from reports.audits.ordering import Wanted

        shop = workshop_of(portal)
        try:
            audit = counted(
                shop,
                Wanted(
                    first_day=_day(given["first"]),
                    last_day=_day(given["last"]),
                    rule=_rule(given),
                    units=given["units"],
                    offerings=given["offerings"],
                    controls=given["controls"],
                    language=given["language"],
                    disclosure="scope" if given["scope_only"] else "whole",
                ),
            )
        except PortalError as error:
            raise click.ClickException(_sentence(error)) from error
        console.print(
            f"{audit.reference}: {audit.count} requests, of which {audit.sample_size} are to be drawn.\n"
            f"Population  {audit.population_digest}\nRoot        {audit.root}"
        )
        if given["nonce"]:
            _draw(shop, audit.reference, given["nonce"], given["out"])
        else:
            console.print(f"Draw with: countersign audits draw {audit.reference} --nonce WORD")

    @audits.command("draw")
    @click.argument("reference")
    @click.option("--nonce", required=True, help="The auditor's word.")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the bundle goes.")
    @with_portal
    def draw(portal: Any, reference: str, nonce: str, out: Path | None) -> None:
        """Draw the sample of a counted audit by the auditor's word, and save the bundle."""
        _draw(workshop_of(portal), reference.upper(), nonce, out)

    @audits.command("list")
    @with_portal
    def list_(portal: Any) -> None:
        """Every audit, newest first."""
        from portal.identity.actor import PORTAL
        from reports.audits.queries import audits_before
        from reports.audits.scope import cut_at

        with portal.db.reading() as session:
            lines, _following = audits_before(session, PORTAL, None, limit=1_000)
        if not lines:
            console.print("No audit was ordered yet.")
        for line in lines:
            state = line.draw.state if line.draw else line.audit.state
            cut = cut_at(line.audit.until, line.audit.last_day, line.audit.zone)
            up_to = f", up to {cut:%H:%M %Z}" if cut else ""
            console.print(
                f"{line.audit.reference}  {line.audit.first_day} to {line.audit.last_day}{up_to}  "
                f"{line.audit.count if line.audit.count is not None else '-'} requests  {state.value}"
            )

    return audits


def _draw(shop: Any, reference: str, nonce: str, out: Path | None) -> None:
    from portal.core.errors import PortalError
    from reports.audits import place
    from reports.audits.by_hand import drawn, save

    target = out or Path(f"{reference}.zip")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    ) as progress:
        task = progress.add_task("Evidence, report, bundle", total=None)
        try:
            made = drawn(
                shop,
                reference,
                nonce,
                lambda done, total: progress.update(task, completed=done, total=total or None),
            )
            digest = save(shop, reference, made.number, place.BUNDLE, target)
        except PortalError as error:
            raise click.ClickException(_sentence(error)) from error
        except OSError as error:
            raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error
    console.print(f"{target}  {digest}", markup=False, soft_wrap=True)


def _rule(given: dict[str, Any]) -> Any:
    from reports.audits.ordering import read_rule

    if given["confidence"]:
        return read_rule(
            {"kind": "attribute", "confidence": given["confidence"], "tolerable": given["tolerable"]}
        )
    if given["percent"]:
        return read_rule({"kind": "percent", "percent": given["percent"], "least": 5, "most": 60})
    return read_rule({"kind": "fixed", "size": given["size"] or 25})


def _day(given: datetime) -> Any:
    return given.date()


def _sentence(error: Any) -> str:
    found = getattr(error, "errors", ())
    return " ".join(one.message for one in found) if found else str(error.sentence)
