"""The command line. Each command says what it did, and exits with 1 and one sentence when it failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from approvals.routing.cli import replay
from catalog.assets.cli import asset_commands
from portal.core.errors import PortalError, SettingsError
from portal.core.settings import Settings
from portal.identity.rotas.cli import rota_command
from reports.evidence.cli import evidence, verify

F = TypeVar("F", bound=Callable[..., Any])
console = Console()
errors = Console(stderr=True)

# Imports stand inside the commands: `countersign verify` must start fast and work where no database is.


def main() -> None:
    """The entry point: settings and portal errors become one sentence and exit status 1."""
    try:
        # Without standalone_mode click gives back the status of an Exit instead of raising it.
        status = cli(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (SettingsError, PortalError) as error:
        errors.print(getattr(error, "sentence", str(error)), style="bold red", highlight=False, markup=False)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("countersign"), prog_name="countersign")
def cli() -> None:
    """Countersign: what was approved is exactly what was done, and anyone can check it."""


def with_portal(command: F) -> F:
    """Give the command the portal made from the environment, its database at the right revision."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from portal.core.migrate import require_head
        from portal.wiring import build

        settings = Settings.from_environment()
        require_head(settings)
        return command(build(settings), *args, **kwargs)

    return wrapped  # type: ignore[return-value]


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on."
)
def web(host: str, port: int) -> None:
    """Serve the web pages."""
    from portal.supervisor.serving import serve

    serve(Settings.from_environment(), host, port)


@cli.command()
@click.option("--queue", default="default", show_default=True, help="The one queue that this worker serves.")
def worker(queue: str) -> None:
    """Run background work."""
    from portal.worker import run

    run(Settings.from_environment(), queue=queue)


@cli.command()
def scheduler() -> None:
    """Ring for work that is due, and begin what comes round."""
    from portal.scheduler import run

    run(Settings.from_environment())


@cli.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version."""
    from portal.core.migrate import head, upgrade

    upgrade(Settings.from_environment())
    console.print(f"The database is at {head()}.")


@cli.group()
def people() -> None:
    """People, units and groups."""


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_portal
def people_import(portal: Any, file: Path) -> None:
    """Make the portal's people, units and groups those of FILE."""
    from portal.demo.prepare import import_organisation

    event = import_organisation(portal, file)
    console.print(f"{event.people} people, {event.units} units and {event.groups} groups are in.")


people.add_command(rota_command(with_portal))
cli.add_command(asset_commands(with_portal))


@cli.group()
def offerings() -> None:
    """The catalogue's offerings."""


@offerings.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--complete", is_flag=True, help="Refuse a text that is not in every language of the portal.")
def offerings_check(files: tuple[Path, ...], *, complete: bool) -> None:
    """Check offering FILES; every problem is said with file, line and field, missing translations in one line."""
    from catalog.offerings.checks import check_files, lacking

    problems = check_files(files, complete=complete)
    for problem in problems:
        errors.print(str(problem), style="red", highlight=False, markup=False)
    if problems:
        raise click.exceptions.Exit(1)
    for told in lacking(files):
        errors.print(told, style="yellow", highlight=False, markup=False)
    console.print("No problem found.")


@offerings.command("schema")
def offerings_schema() -> None:
    """Print the JSON Schema of offering files, for editors."""
    from catalog.offerings.checks import schema

    click.echo(json.dumps(schema(), indent=2))


@offerings.command("publish")
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--as", "publisher", required=True, metavar="USER_NAME", help="Who publishes; cannot approve these."
)
@with_portal
def offerings_publish(portal: Any, folder: Path | None, publisher: str) -> None:
    """Publish the offerings in FOLDER, or those that Countersign ships."""
    from portal.demo.prepare import publish_offerings

    for slug, number, new in publish_offerings(portal, folder, publisher):
        console.print(f"{slug} version {number}" + ("" if new else " (unchanged)"))


@cli.group()
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
            key=portal.signer.key.public_key(),
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
    click.echo(fingerprint(portal.signer.key.public_key()))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
    )


def table(title: str, *columns: str) -> Table:
    """A table in the portal's style."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column)
    return made


@cli.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Data folder [default: var/].")
@click.option("--ports", metavar="FIRST|auto", help="First port to use, or auto for free ones.")
@click.option("--verbose", is_flag=True, help="Show what every part logs.")
def up(home: Path | None, ports: str | None, verbose: bool) -> None:  # noqa: FBT001  (click passes it by name)
    """Start everything, embedded, with a demo organisation. Ctrl-C stops it."""
    from portal.supervisor.up import UpOptions
    from portal.supervisor.up import up as start

    raise click.exceptions.Exit(start(UpOptions(home=home, ports=ports, verbose=verbose)))


@cli.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Data folder [default: var/].")
def demo(home: Path | None) -> None:
    """Play the whole story against the portal that runs here, or one started for it."""
    from portal.demo.play import play_demo

    raise click.exceptions.Exit(play_demo(home, console))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(as_json: bool) -> None:  # noqa: FBT001
    """Check all that the portal needs, and say how to mend what is missing."""
    from portal.doctor import healthy, run, table_of, to_json

    checks = run(Settings.from_environment())
    if as_json:
        click.echo(to_json(checks))
    else:
        console.print(table_of(checks))
    if not healthy(checks):
        raise click.exceptions.Exit(1)


offerings.add_command(replay)
cli.add_command(evidence)
cli.add_command(verify)


if __name__ == "__main__":
    main()
