"""The commands of the ledger; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from portal.audit.holders.cli import holders_command

console = Console()
errors = Console(stderr=True)

# What they do is imported inside them: the command line starts fast, also where no database is.


def audit_commands(with_portal: Callable[[Any], Any]) -> click.Group:
    """`audit verify|checkpoint|export|key`. `with_portal` wraps a command so that it is given the portal."""

    @click.group()
    def audit() -> None:
        """The ledger."""

    @audit.command("verify")
    @with_portal
    def audit_verify(portal: Any) -> None:
        """Walk the whole ledger and name the first entry that does not fit."""
        from portal.audit.verify import verify_ledger

        with _progress() as progress:
            task = progress.add_task("Entries", total=None)
            result = verify_ledger(
                portal.db,
                name=portal.signer.name,
                keys=portal.signer.public_keys,
                folder=portal.signer.folder,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        if result.holds:
            console.print(
                f"{result.entries} entries and {result.checkpoints} checkpoints hold. Root {result.root}"
            )
            return
        for finding in result.findings:
            errors.print(finding.sentence, style="bold red", highlight=False, markup=False)
        raise click.exceptions.Exit(1)

    @audit.command("checkpoint")
    @with_portal
    def audit_checkpoint(portal: Any) -> None:
        """Sign the ledger's head now and print the checkpoint."""
        from portal.audit.checkpoint import InconsistentLedger, checkpoint

        try:
            row = checkpoint(portal.db, portal.signer)
        except InconsistentLedger as error:
            raise click.ClickException(str(error)) from error
        click.echo(row.note if row else "The ledger is empty.", nl=row is None)

    @audit.command("export")
    @click.option("--since", default=0, show_default=True, help="Only entries numbered above this.")
    @with_portal
    def audit_export(portal: Any, since: int) -> None:
        """Print the ledger's entries as JSON lines, oldest first."""
        from portal.audit.queries import bodies

        for body in bodies(portal.db, since):
            click.echo(body)

    @audit.command("key")
    @with_portal
    def audit_key(portal: Any) -> None:
        """Print the ledger's public key and its fingerprint, to hand to auditors."""
        from portal.audit.notes import fingerprint

        click.echo(portal.signer.verifier)
        click.echo(fingerprint(portal.signer.public_key))

    audit.add_command(holders_command(with_portal))
    return audit


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )
