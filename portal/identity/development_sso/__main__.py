"""`python -m portal.identity.development_sso`: serve the development sign-in until told to stop."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from portal.core.development import listen_on_loopback, require_development, serving, wait_for_stop
from portal.core.errors import SettingsError
from portal.identity.development_sso.config import NAME, SsoConfig
from portal.identity.development_sso.people import read_organisation
from portal.identity.development_sso.views import create_sso

DEMO_ORGANISATION = Path(__file__).resolve().parents[1] / "demo_organisation.yaml"
REFUSED = 2


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="Port to listen on.")
@click.option("--issuer", required=True, help="Address that browsers use, such as http://localhost:8010.")
@click.option(
    "--people", type=click.Path(path_type=Path), default=DEMO_ORGANISATION, help="The organisation's YAML."
)
@click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="Folder that keeps the signing key."
)
@click.option("--client-id", required=True, help="The portal's client identifier.")
@click.option(
    "--client-secret-file", type=click.Path(path_type=Path), required=True, help="File with its secret."
)
@click.option("--redirect-uri", multiple=True, required=True, help="Where codes may go; may be repeated.")
@click.option(
    "--post-logout-redirect-uri", multiple=True, help="Where to go after sign-out; may be repeated."
)
@click.option("--backchannel-logout-uri", help="Where the client wants to hear of ended sessions.")
def main(  # noqa: PLR0917  (click passes each option by name)
    host: str,
    port: int,
    issuer: str,
    people: Path,
    state: Path,
    client_id: str,
    client_secret_file: Path,
    redirect_uri: tuple[str, ...],
    post_logout_redirect_uri: tuple[str, ...],
    backchannel_logout_uri: str | None,
) -> None:
    """A small OpenID provider for trying the portal out. It refuses to start outside development."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        require_development(NAME)
        organisation = read_organisation(people)
        config = SsoConfig(
            issuer=issuer.rstrip("/"),
            client_id=client_id,
            client_secret=_read_secret(client_secret_file),
            redirect_uris=redirect_uri,
            post_logout_redirect_uris=post_logout_redirect_uri,
            backchannel_logout_uri=backchannel_logout_uri,
            people=organisation.people,
            organisation=organisation.name,
            state=state,
        )
        app = create_sso(config)
        listener = listen_on_loopback(NAME, host, port)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(REFUSED)
    with serving(listener, app):
        wait_for_stop(lambda: click.echo(f"Development sign-in: {config.issuer}"))


def _read_secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"The client secret file {file} cannot be read: {error.strerror}."
        raise SettingsError(message) from error


if __name__ == "__main__":
    main()
