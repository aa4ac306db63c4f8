"""The commands of erasing and of holds; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

_DAY = click.DateTime(["%Y-%m-%d"])
_BY = click.option("--by", metavar="USER_NAME", required=True, help="Who gives the word.")

# What they do is imported inside them: the command line starts fast, also where no database is.


def erase_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`people erase`. `with_portal` wraps a command so that it is given the portal."""

    @click.command("erase")
    @click.argument("person", metavar="PERSON")
    @click.option("--subject", default="", help="The identity's subject; PERSON is its issuer then.")
    @click.option("--dry-run", is_flag=True, help="Only show what would go and what would stay.")
    @click.option("--by", metavar="USER_NAME", help="Who gives the word; needed but for a dry run.")
    @click.option("--yes", is_flag=True, help="Ask nothing.")
    @with_portal
    def erase_(portal: Any, person: str, subject: str, by: str | None, **flags: bool) -> None:
        """Take everything personal of PERSON (a user name) out of the portal. Shows first what would go and what stays."""
        from reports.erasing.actors import actor_named
        from reports.erasing.erase import erase, find, preview, remove_files

        with portal.db.reading() as session:
            shown = preview(session, find(session, person, subject))
        _show(shown)
        if shown.in_the_way:
            raise click.exceptions.Exit(1)
        if flags["dry_run"]:
            return
        if not by:
            raise click.UsageError("Say with --by who gives the word.")
        if not flags["yes"]:
            typed = click.prompt("This cannot be undone. Type the user name to go on")
            if typed != shown.user_name:
                raise click.ClickException("That is another name; nothing was done.")
        with portal.db.transaction() as session:
            done = erase(session, actor_named(session, by), shown.person_id)
        remove_files(portal.db, done, evidence=portal.settings.home / "evidence", store=portal.store)
        click.echo(f"Erased. What is left is “Erased person {done.person_id}”.")

    return erase_


def retention_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`retention`."""

    @click.command("retention")
    @click.option("--dry-run", is_flag=True, help="Only show what would go, and what a hold keeps.")
    @with_portal
    def retention(portal: Any, dry_run: bool) -> None:  # noqa: FBT001  (click passes it by name)
        """Take out what is over its time, as RETENTION says. It is done every night by itself."""
        from reports.erasing.retire import due, retire

        kept = portal.settings.retention
        with portal.db.reading() as session:
            lines = due(session, kept)
        for one in lines:
            held = f", {one.held} kept by a hold" if one.held else ""
            click.echo(f"{one.name:<10} {one.days:>5} days  {one.going} to go{held}")
        if not dry_run:
            gone = retire(portal.db, kept, evidence=portal.settings.home / "evidence", store=portal.store)
            told = ", ".join(f"{number} {name}" for name, number in sorted(gone.items()))
            click.echo(f"Gone: {told or 'nothing'}.")

    return retention


def hold_commands(with_portal: Callable[[Any], Any]) -> click.Group:
    """`hold add|lift|list`."""

    @click.group("hold")
    def hold() -> None:
        """Legal holds: what is neither erased nor retired."""

    @hold.command("add")
    @click.argument("reason")
    @click.option("--person", metavar="USER_NAME", help="A person and the requests by or for them.")
    @click.option("--request", "reference", metavar="SR-NUMBER", help="One request.")
    @click.option("--unit", metavar="SLUG", help="A unit, those below it, and their requests.")
    @click.option(
        "--period", nargs=2, type=_DAY, metavar="FIRST LAST", help="Requests submitted on these days."
    )
    @_BY
    @with_portal
    def add(portal: Any, reason: str, by: str, **on: Any) -> None:
        """Keep something from erasure and retention, because of REASON."""
        from reports.erasing.actors import actor_named
        from reports.erasing.holds import named, place_hold

        target = _target(on["person"], on["reference"], on["unit"], on["period"])
        with portal.db.transaction() as session:
            placed = place_hold(session, actor_named(session, by), target, reason)
            click.echo(f"Hold {placed.id} is on {named(session, placed)}.")

    @hold.command("lift")
    @click.argument("number", type=int)
    @click.argument("reason")
    @_BY
    @with_portal
    def lift(portal: Any, number: int, reason: str, by: str) -> None:
        """End hold NUMBER, because of REASON. It takes another person than the one who placed it."""
        from reports.erasing.actors import actor_named
        from reports.erasing.holds import lift_hold, named

        with portal.db.transaction() as session:
            lifted = lift_hold(session, actor_named(session, by), number, reason)
            click.echo(f"Hold {lifted.id} on {named(session, lifted)} is lifted.")

    @hold.command("list")
    @with_portal
    def list_(portal: Any) -> None:
        """The holds in force."""
        from reports.erasing.holds import holds_in_force, named

        with portal.db.reading() as session:
            holds = list(holds_in_force(session))
            if not holds:
                click.echo("No hold is in force.")
            for one in holds:
                click.echo(f"{one.id}  {named(session, one)}  since {one.placed_at:%Y-%m-%d}  {one.reason}")

    return hold


def _target(
    person: str | None, reference: str | None, unit: str | None, period: tuple[datetime, datetime] | None
) -> Any:
    from reports.erasing.holds import Target
    from reports.erasing.model import HoldKind

    named = [
        (kind, name)
        for kind, name in (
            (HoldKind.PERSON, person),
            (HoldKind.REQUEST, reference),
            (HoldKind.UNIT, unit),
        )
        if name
    ]
    if len(named) + bool(period) != 1:
        raise click.UsageError("Give one of --person, --request, --unit and --period.")
    if period:
        return Target(HoldKind.PERIOD, first_day=period[0].date(), last_day=period[1].date())
    return Target(named[0][0], named[0][1])


def _show(shown: Any) -> None:
    click.echo(f"{shown.name} ({shown.user_name}, person:{shown.person_id})")
    click.echo("\nGoes:")
    for one in shown.going:
        click.echo(f"  {one.rows:>6}  {one.table:<22} {one.what}{' (the rows stay)' if one.emptied else ''}")
    click.echo("\nStays:")
    for one in shown.staying:
        click.echo(f"  {one.number or '':>6}  {one.what}: {one.why}")
    if shown.in_the_way:
        click.echo("\nIn the way, so nothing can be erased now:")
        for sentence in shown.in_the_way:
            click.echo(f"  - {sentence}")
