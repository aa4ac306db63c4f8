"""The commands of the catalogue; the roof gives them the portal that they run in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

console = Console()
errors = Console(stderr=True)

# What they do is imported inside them: the command line starts fast, also where no database is.


def offering_commands(with_portal: Callable[[Any], Any], publish: Callable[..., Any]) -> click.Group:
    """`offerings check|schema|publish`. `with_portal` wraps a command so that it is given the portal."""

    @click.group()
    def offerings() -> None:
        """The catalogue's offerings."""

    @offerings.command("check")
    @click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
    @click.option(
        "--complete", is_flag=True, help="Refuse a text that is not in every language of the portal."
    )
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
        for slug, number, new, lacks in publish(portal, folder, publisher):
            if lacks:
                console.print(f"{slug} is left out: this portal has no connector {lacks!r}.", style="yellow")
            else:
                console.print(f"{slug} version {number}" + ("" if new else " (unchanged)"))

    return offerings
