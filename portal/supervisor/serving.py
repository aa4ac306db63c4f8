"""`countersign web`: the pages, served by granian."""

from __future__ import annotations

import sys

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.supervisor.ports import HOST

#: On PostgreSQL. On SQLite one writer process is as fast as several, without their waits for the lock.
WORKERS = 2
STOP_SECONDS = 8


def serve(settings: Settings, host: str = HOST, port: int = 8000) -> None:
    """Serve until SIGINT or SIGTERM; answers under way are given first."""
    Granian(
        target="portal.app:create_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1 if settings.database_url.startswith("sqlite") else WORKERS,
        blocking_threads=1,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.warning,
        log_access=False,  # addresses hold the identifiers of mailed links
    ).serve()


@click.command()
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to listen on.")
def main(host: str, port: int) -> None:
    """Serve the portal's pages."""
    try:
        serve(Settings.from_environment(), host, port)
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
