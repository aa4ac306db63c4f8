"""The commands of assets; the roof gives them the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

# What they do is imported inside them: the command line starts fast, also where no database is.


def asset_commands(with_portal: Callable[[Any], Any]) -> click.Group:
    """`assets import`. `with_portal` wraps a command so that it is given the portal."""

    @click.group()
    def assets() -> None:
        """The list of assets: applications, servers, devices, their owners and zones."""

    @assets.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @with_portal
    def import_(portal: Any, file: Path) -> None:
        """Make the portal's assets those of FILE (CSV or YAML); one wrong row and nothing is changed."""
        from catalog.assets.importing import import_file

        done = import_file(portal.db, file)
        click.echo(
            f"{done.assets} assets: {done.added} new, {done.changed} changed, {done.deactivated} no longer listed."
        )

    return assets
