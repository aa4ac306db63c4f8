"""`python -m portal.notifications.development_mailbox`: receive and show mail until told to stop."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import click

from portal.core.development import listen_on_loopback, require_development, serving, wait_for_stop
from portal.core.errors import SettingsError
from portal.notifications.development_mailbox.receiver import receiving
from portal.notifications.development_mailbox.store import MailStore
from portal.notifications.development_mailbox.views import create_mailbox

NAME = "development mailbox"
REFUSED = 2


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--smtp-port", type=click.IntRange(0, 65535), required=True, help="Port that takes mail.")
@click.option("--http-port", type=click.IntRange(0, 65535), required=True, help="Port of the page.")
@click.option(
    "--store", "folder", type=click.Path(path_type=Path), required=True, help="Folder that keeps the mail."
)
@click.option("--public-url", help="Address that browsers use; default http://localhost:<http-port>.")
def main(host: str, smtp_port: int, http_port: int, folder: Path, public_url: str | None) -> None:
    """Take every mail and show it on a page. It refuses to start outside development."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with ExitStack() as stack:
        try:
            require_development(NAME)
            smtp = stack.enter_context(closing(listen_on_loopback(NAME, host, smtp_port)))
            http = stack.enter_context(closing(listen_on_loopback(NAME, host, http_port)))
            store = _open_store(folder)
        except SettingsError as error:
            click.echo(str(error), err=True)
            sys.exit(REFUSED)
        url = public_url or f"http://localhost:{http.getsockname()[1]}"
        smtp_url = f"smtp://{host}:{smtp.getsockname()[1]}"
        stack.enter_context(receiving(smtp, store))
        stack.enter_context(serving(http, create_mailbox(store, url)))
        wait_for_stop(lambda: click.echo(f"Development mailbox: {url} (takes mail at {smtp_url})"))


def _open_store(folder: Path) -> MailStore:
    try:
        return MailStore(folder)
    except OSError as error:
        message = f"The folder {folder} for the mail cannot be used: {error.strerror}."
        raise SettingsError(message) from error


if __name__ == "__main__":
    main()
