"""The command of the firewall; the roof gives it the portal that it runs in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

# What it does is imported inside it: the command line starts fast, also where no database is.


def firewall_commands(with_portal: Callable[[Any], Any]) -> click.Group:
    """`firewall load`. `with_portal` wraps a command so that it is given the portal."""

    @click.group()
    def firewall() -> None:
        """The firewall whose rules the portal loads."""

    @firewall.command()
    @with_portal
    def load(portal: Any) -> None:
        """Make the running firewall what the policy says, as after a restart of its machine."""
        from catalog.fulfilment.connectors.contract import ConnectorError

        connector = portal.connectors.get("firewall")
        if not hasattr(connector, "load"):
            message = (
                "The firewall is on another queue; run this where that queue's worker runs, without QUEUES."
            )
            raise click.ClickException(message)
        try:
            connector.load()
        except ConnectorError as error:
            raise click.ClickException(str(error.message)) from error
        click.echo("The running firewall holds the rules of the policy.")

    return firewall
