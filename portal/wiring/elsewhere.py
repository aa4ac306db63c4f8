"""Connectors that are on another queue than this process's: asked through it, since their secrets are not here."""

from __future__ import annotations

from catalog.fulfilment.connectors.ansible import AnsibleConnector
from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.connectors.ssh import SshConnector
from catalog.fulfilment.elsewhere.ask import Elsewhere
from portal.core.database import Database
from portal.core.settings import Settings

#: Those that are there when a secret is, which this process does not have.
_OF_A_SECRET: dict[str, type[Connector]] = {
    "ansible": AnsibleConnector,
    "postgresql": PostgresqlConnector,
    "ssh": SshConnector,
}


def ask_elsewhere(connectors: Connectors, settings: Settings, db: Database) -> None:
    """Put what asks in the place of each connector that QUEUES gives to another worker."""
    made_as = {connector.kind: type(connector) for connector in connectors}
    for kind, queue in settings.queues:
        if queue != settings.queue:
            connectors.put(Elsewhere(kind, queue, db, made_as.get(kind) or _OF_A_SECRET.get(kind)))
