"""The commands of the ledger; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from portal.audit.export_cli import export_command, proof_command
from portal.audit.holders.cli import compare_command, holders_command
from portal.audit.signer.cli import add_key_commands

console = Console()
errors = Console(stderr=True)

# What they do is imported inside them: the command line starts fast, also where no database is.


def audit_commands(
    with_portal: Callable[[Any], Any],
    records: Callable[[Any, Callable[[int, int], None]], Sequence[Any]] = lambda portal, progress: (),
) -> click.Group:
    """`audit verify|checkpoint|export|proof|key`. `with_portal` wraps a command so that it is given the portal.

    `records` compares what stands beside the ledger with it, and gives findings that have a sentence.
    """

    @click.group()
    def audit() -> None:
        """The ledger."""

    _add_verify(audit, with_portal, records)

    @audit.command("checkpoint")
    @with_portal
    def audit_checkpoint(portal: Any) -> None:
        """Sign the ledger's head now and print the checkpoint."""
        from portal.audit.checkpoint import NotSigned, checkpoint

        try:
            row = checkpoint(portal.db, portal.signer)
        except NotSigned as error:
            raise click.ClickException(error.sentence) from error
        click.echo(row.note if row else "The ledger is empty.", nl=row is None)

    audit.add_command(export_command(with_portal, _progress))
    audit.add_command(proof_command(with_portal))
    add_key_commands(audit, with_portal)
    audit.add_command(holders_command(with_portal))
    audit.add_command(compare_command(with_portal))
    return audit


def _add_verify(
    audit: click.Group,
    with_portal: Callable[[Any], Any],
    records: Callable[[Any, Callable[[int, int], None]], Sequence[Any]],
) -> None:
    @audit.command("verify")
    @click.option("--whole", is_flag=True, help="Read every entry, also those that were verified before.")
    @with_portal
    def audit_verify(portal: Any, whole: bool) -> None:  # noqa: FBT001  (as click gives it)
        """Verify the ledger and all that stands beside it, and name the first entry or row that does not fit.

        It goes on from where it came to the last time: of older entries the top of the tree and whether their
        checkpoints are the same are looked at, not their texts and columns again. Once a week the portal reads all of
        it by itself.
        """
        from portal.audit.rounds.work import known_in
        from portal.audit.verify import verify_ledger

        with _progress() as progress:
            task = progress.add_task("Entries", total=None)
            result = verify_ledger(
                portal.db,
                name=portal.signer.name,
                keys=portal.signer.public_keys,
                folder=portal.signer.folder,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
                known=known_in(portal.settings.home),
                whole=whole,
            )
            # The entries are what everything else is held against.
            findings: list[Any] = list(result.findings)
            if result.holds:
                rows = progress.add_task("Records", total=None)
                findings += records(
                    portal, lambda done, total: progress.update(rows, completed=done, total=total)
                )
        if not findings:
            console.print(
                f"{result.entries} entries and {result.checkpoints} checkpoints hold. Root {result.root}"
            )
            if result.since:
                console.print(
                    f"{result.since} of them were read before and were not read again; --whole reads them."
                )
            console.print("What is kept beside them is what they tell.")
            return
        for finding in findings:
            errors.print(finding.sentence, style="bold red", highlight=False, markup=False)
        raise click.exceptions.Exit(1)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )
