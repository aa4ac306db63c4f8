"""`countersign offerings replay`: past requests run through an offering's file, on the command line."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="Only requests submitted on this day (UTC) or later."
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many requests, the latest.")
@click.option("--as", "publisher", metavar="USER_NAME", help="Who would publish it, and so cannot approve.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def replay(
    file: Path, since: datetime | None, limit: int | None, publisher: str | None, *, as_json: bool
) -> None:
    """Run past requests of the offering in FILE through it, and say what would change. Writes nothing."""
    # Imports stand here: the other commands must start without them.
    from approvals.routing.book import RouteBook
    from catalog.versions.terminal import printed, replay_file
    from portal.core.database import Database
    from portal.core.migrate import require_head
    from portal.core.settings import Settings

    settings = Settings.from_environment()
    require_head(settings)
    db = Database(settings.database_url)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Requests", total=None)
        report = replay_file(
            db,
            file,
            make_routes=RouteBook,
            since=since,
            limit=limit,
            publisher=publisher,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    db.dispose()
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
        return
    console = Console()
    for line in printed(report):
        console.print(line, highlight=False, markup=False)
