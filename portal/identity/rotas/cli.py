"""The command of rotas; the roof gives it the portal that it runs in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

# What it does is imported inside it: the command line starts fast, also where no database is.


def rota_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`people rota`. `with_portal` wraps a command so that it is given the portal."""

    @click.command("rota")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--slug", default="", help="How offerings call it; else its YAML or its file's name says.")
    @click.option("--name", default="", help="How people call it; else the calendar says.")
    @with_portal
    def rota(portal: Any, file: Path, slug: str, name: str) -> None:
        """Make an on-call rota that of FILE (iCalendar or YAML); one unknown person and nothing is changed."""
        from portal.core.clock import now
        from portal.core.errors import PortalError
        from portal.identity.actor import PORTAL
        from portal.identity.rotas.importing import import_rota
        from portal.identity.rotas.reading import RotaError, read_rota

        try:
            with portal.db.transaction() as session:
                read = read_rota(file.read_bytes(), file.name, now=now(session), slug=slug, name=name)
                done = import_rota(session, PORTAL, read)
        except RotaError as error:
            raise PortalError("\n".join(error.problems)) from error
        click.echo(f"{done.name} ({done.rota}): {done.shifts} duties of {done.people} people.")

    return rota
