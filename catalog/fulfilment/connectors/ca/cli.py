"""The commands of the certificate authority. They need its settings and no database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from portal.core.settings import Settings

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
    from catalog.fulfilment.connectors.ca.issuers import Issuer

# What they do is imported inside them: the command line starts fast, also where no token is.


@click.group("ca")
def ca_commands() -> None:
    """The built-in certificate authority: its keys, its issuing CAs, and the names of each unit."""


@ca_commands.command("create")
def create() -> None:
    """Make the root and the issuing CA, where they are missing; with a token, their keys are made in it."""
    authority = _authority()
    there = (authority.folder / "issuing.crt").exists()
    with _told():
        authority.create_if_missing()
        _tell(authority, authority.issuers.get(""), "was there already" if there else "was made")


@ca_commands.command("unit")
@click.argument("unit")
@click.option(
    "--dns", "domains", multiple=True, required=True, help="A domain that it may certify, and below."
)
@click.option(
    "--network", "networks", multiple=True, help="A network whose addresses it may certify, as CIDR."
)
@click.option("--also", multiple=True, help="Another unit, by its short name, that this CA issues for.")
def unit(unit: str, domains: tuple[str, ...], networks: tuple[str, ...], also: tuple[str, ...]) -> None:
    """Make the issuing CA of UNIT, which can certify nothing but these names; or renew it with these.

    UNIT is the unit's short name, as in the organisation's file. The root's key must be there.
    """
    from catalog.fulfilment.connectors.ca.bounds import Bounds
    from catalog.fulfilment.connectors.ca.refusal import CsrError

    authority = _authority()
    try:
        bounds = Bounds.read(domains, networks)
    except CsrError as error:
        raise click.ClickException(str(error.message)) from error
    with _told():
        made = authority.create_unit(unit, bounds, frozenset(also))
        _tell(authority, made, "is ready")


@ca_commands.command("list")
def list_() -> None:
    """Every issuing CA: its name, its end, the units that it issues for, and the names that it is bound to."""
    authority = _authority()
    with _told():
        for issuer in authority.issuers.every():
            _tell(authority, issuer, f"until {issuer.certificate.not_valid_after_utc:%Y-%m-%d}")


def _authority() -> CertificateAuthority:
    from catalog.fulfilment.connectors.ca.setting_up import authority_of

    return authority_of(Settings.from_environment())


def _tell(authority: CertificateAuthority, issuer: Issuer, state: str) -> None:
    click.echo(f"{issuer.title} {state}: {authority.keys.described(issuer.key_name)}")
    served = sorted(name for name, slug in authority.issuers.served().items() if slug == issuer.slug)
    if issuer.bounds:
        click.echo(f"  for {', '.join(served)}: {issuer.bounds.shown()}")


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what the authority cannot do."""
    from catalog.fulfilment.connectors.contract import ConnectorError

    try:
        yield
    except ConnectorError as error:
        raise click.ClickException(str(error.message)) from error
    except FileNotFoundError as error:
        message = (
            f"The certificate authority is not made yet ({error.filename} is missing): countersign ca create"
        )
        raise click.ClickException(message) from error
    except OSError as error:
        raise click.ClickException(f"The certificate authority's folder cannot be used: {error}") from error
