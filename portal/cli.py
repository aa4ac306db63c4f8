"""The command line. Each command says what it did, and exits with 1 and one sentence when it failed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from approvals.routing.cli import replay
from catalog.assets.cli import asset_commands
from catalog.auditors.cli import auditor_commands
from catalog.explaining.cli import explain_command
from catalog.fulfilment.connectors.ca.cli import ca_commands
from catalog.fulfilment.connectors.firewall.cli import firewall_commands
from catalog.offerings.cli import offering_commands
from catalog.reconciliation.cli import reconcile_command
from portal.audit.cli import audit_commands
from portal.audit.signer.cli import signer_command
from portal.core.errors import PortalError, SettingsError
from portal.core.settings import Settings
from portal.identity.rotas.cli import rota_command
from reports.audits.cli import audit_report_commands
from reports.erasing.cli import erase_command, hold_commands, retention_command
from reports.evidence.cli import evidence, verify
from reports.records.cli import records_of

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
@click.option(
    "--queue",
    default="default",
    show_default=True,
    help="The one queue that this worker serves: it needs the secrets of the connectors that QUEUES puts there.",
)
def worker(queue: str) -> None:
    """Run background work."""
    from portal.worker import run

    run(Settings.from_environment(queue=queue))


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
people.add_command(auditor_commands(with_portal))
people.add_command(erase_command(with_portal))
cli.add_command(hold_commands(with_portal))
cli.add_command(retention_command(with_portal))
cli.add_command(asset_commands(with_portal))
cli.add_command(ca_commands)
cli.add_command(firewall_commands(with_portal))


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


def _publish(portal: Any, folder: Path | None, publisher: str) -> Any:
    from portal.demo.prepare import publish_offerings

    return publish_offerings(portal, folder, publisher)


def _workshop(portal: Any) -> Any:
    from portal.wiring import workshop

    return workshop(portal)


offerings = offering_commands(with_portal, _publish)
offerings.add_command(replay)
cli.add_command(offerings)
cli.add_command(audit_commands(with_portal, records_of))
cli.add_command(signer_command)
cli.add_command(reconcile_command(with_portal))
cli.add_command(explain_command(with_portal))
cli.add_command(audit_report_commands(with_portal, _workshop))
cli.add_command(evidence)
cli.add_command(verify)


if __name__ == "__main__":
    main()
