"""The connectors that this portal has, found by kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.fulfilment.connectors.contract import Connector, ConnectorError
from portal.core.language import say


class Connectors:
    """One connector for each kind of target."""

    def __init__(self, connectors: Iterable[Connector]) -> None:
        self._by_kind = {connector.kind: connector for connector in connectors}

    def get(self, kind: str) -> Connector:
        """The connector of this kind. Raises a permanent ConnectorError when the portal has none."""
        try:
            return self._by_kind[kind]
        except KeyError:
            message = say(
                "This portal has no connector “%(kind)s”, so it cannot carry this out. "
                "Ask the operators to set it up.",
                kind=kind,
            )
            raise ConnectorError(message, permanent=True) from None

    def put(self, connector: Connector) -> None:
        """Have this one stand for its kind from now on."""
        self._by_kind[connector.kind] = connector

    def __contains__(self, kind: object) -> bool:
        return kind in self._by_kind

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._by_kind.values())

    def __len__(self) -> int:
        return len(self._by_kind)
