"""Numbers in addresses and forms: what no database can hold is no number at all."""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter, Map

#: What a 64-bit column holds; a larger one makes SQLite's driver fail instead of finding nothing.
LARGEST = 2**63 - 1


class Values(ImmutableMultiDict[str, Any]):
    """What was sent; a number that is too large counts as one that is not there."""

    # Werkzeug's own overloads say the same in six lines; `type` is its name.
    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]  # noqa: A002
        """As Werkzeug's, which also takes what is no number at all for missing."""
        value = super().get(key, default, type)
        too_large = type is int and isinstance(value, int) and abs(value) > LARGEST
        return default if too_large else value


class PortalRequest(Request):
    """Flask's request with these values."""

    parameter_storage_class = Values


class Number(IntegerConverter):
    """`<int:…>` in an address: nothing is found under a larger one."""

    def __init__(self, url_map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST, **kwargs})
