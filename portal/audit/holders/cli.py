"""`countersign audit holders` and `audit compare`; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

# What they do is imported inside them: the command line starts fast, also where no database is.


def holders_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`audit holders`. `with_portal` wraps a command so that it is given the portal."""

    @click.command("holders")
    @click.option("--try", "try_now", is_flag=True, help="Hand the last checkpoint to whoever lacks it, now.")
    @with_portal
    def holders(portal: Any, try_now: bool) -> None:  # noqa: FBT001  (click passes it by name)
        """Show who holds the ledger's checkpoints; ends with 1 when one is late or says otherwise."""
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        from portal.audit.holders.hand_over import hand_out_now, hand_to
        from portal.audit.holders.presenters import state_of
        from portal.audit.holders.queries import holder_lines

        if try_now:
            with portal.db.transaction() as session:
                hand_out_now(session)
            for holder in portal.holders:
                hand_to(portal.db, holder)
        with portal.db.reading() as session:
            lines = holder_lines(session, portal.holders)
        table = Table(box=box.SIMPLE)
        for title in ("Holder", "Where", "Holds", "Since (UTC)", "Lacks", "State"):
            table.add_column(title, overflow="fold")
        for line in lines:
            state = Text(state_of(line)[0])
            if line.error:
                state.append(f"\n{line.error}", style="italic")
            table.add_row(
                line.kind,
                Text(line.name),
                str(line.size),
                f"{line.held_at:%Y-%m-%d %H:%M}" if line.held_at else "",
                str(line.lag),
                state,
            )
        Console().print(table)
        if not all(line.well for line in lines):
            raise click.exceptions.Exit(1)

    return holders


def compare_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`audit compare`. `with_portal` wraps a command so that it is given the portal."""

    @click.command("compare")
    @click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
    @with_portal
    def compare(portal: Any, files: tuple[Path, ...]) -> None:
        """Compare the ledger with checkpoint FILES that others kept; ends with 1 when one does not fit.

        The stored tree is compared; `audit verify` tells whether the entries are those of the tree.
        """
        from portal.audit.holders.comparing import compare_note

        fits = True
        for file in files:
            try:
                note = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise click.ClickException(f"{file} cannot be read: {error}") from error
            found = compare_note(portal.db, note, portal.signer.verifiers, portal.holders.witnesses)
            fits = fits and found.fits
            click.echo(f"{file}: {found.sentence}")
        if not fits:
            raise click.exceptions.Exit(1)

    return compare
