"""`countersign audit export` and `audit proof`; the roof gives them the portal that they run in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

# What they do is imported inside them: the command line starts fast, also where no database is.


def export_command(with_portal: Callable[[Any], Any], bars: Callable[[], Progress]) -> click.Command:
    """`audit export`. `with_portal` wraps a command so that it is given the portal; `bars` shows how far it is."""

    @click.command("export")
    @click.option(
        "--since", type=click.IntRange(min=0), help="Only entries numbered above this. [default: 0]"
    )
    @click.option("--gz", is_flag=True, help="Compress with gzip; a FILE that ends in .gz always is.")
    @click.option(
        "--out",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write into FILE. One that is there is gone on with after its last entry.",
    )
    @with_portal
    def export_entries(portal: Any, since: int | None, gz: bool, out: Path | None) -> None:  # noqa: FBT001  (click)
        """Write the ledger's entries as JSON lines, oldest first.

        Each line is an entry's exact text: SHA-256 of the byte 00 and the line is its leaf in the tree. An export
        into a file that broke off, or that the ledger has outgrown, is gone on with by the same command.
        """
        from portal.audit.export import export_into, export_to

        with bars() as progress:
            # On a terminal the entries themselves show how far it is.
            shown = out is not None or not sys.stdout.isatty()
            task = progress.add_task("Entries", total=None, visible=shown)

            def tell(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            if out is None:
                to = sys.stdout.buffer
                done = export_to(portal.db, to, since=since or 0, gz=gz, progress=tell)
            else:
                try:
                    done = export_into(
                        portal.db, out, since=since, gz=gz or out.suffix == ".gz", progress=tell
                    )
                except OSError as error:
                    message = f"{out} cannot be written: {error.strerror}. The same command goes on with it."
                    raise click.ClickException(message) from error
        if out is not None:
            new = f"Entries {done.since + 1} to {done.last}" if done.last > done.since else "No new entries"
            click.echo(f"{new} written to {out}, which ends with entry {done.last}.")
        if done.missing is not None:
            message = f"Entry {done.missing} is missing in the ledger: run countersign audit verify."
            raise click.ClickException(message)

    return export_entries


def proof_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`audit proof`. `with_portal` wraps a command so that it is given the portal."""

    @click.command("proof")
    @click.argument("number", type=click.IntRange(min=1))
    @click.option(
        "--size", type=click.IntRange(min=1), help="Up to the checkpoint of this size. [default: the last]"
    )
    @with_portal
    def proof(portal: Any, number: int, size: int | None) -> None:
        """Print entry NUMBER, what proves it to be in the ledger, and the checkpoint that signed it, as JSON.

        What the entry holds of personal values stays behind their commitments: it can be given to anybody.
        """
        from portal.audit.checkpoint import NotSigned
        from portal.audit.plain_proof import BY_HAND, plain_proof, signed_by

        with portal.db.reading() as session:
            try:
                found = plain_proof(session, number, size=size)
                key = signed_by(found.checkpoint, portal.signer.verifiers)
            except LookupError as error:
                message = f"{error}: run countersign audit verify."
                raise click.ClickException(message) from error
            except NotSigned as error:
                raise click.ClickException(error.sentence) from error
        click.echo(
            json.dumps({**found.to_json(), **key, "how_to_check": BY_HAND}, indent=2, ensure_ascii=False)
        )

    return proof
