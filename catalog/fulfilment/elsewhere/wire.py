"""What is said between a process and the worker that holds a connector's secrets, as JSON: the contract's own types."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    Choice,
    ConnectorError,
    ConnectorPending,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.firewall.problems import Problem
from portal.core.language import Said, kept, said, say

#: Nothing else is ever made from what a row holds.
_TYPES: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Beneficiary, Choice, Live, Order, Outcome, Plan, PlanLine, Problem, ReadBack)
}
_KIND = "$"


def encode(value: Any) -> Any:
    """The value as JSON keeps it. Raises TypeError for one that the contract does not know."""
    if isinstance(value, list):
        return [encode(part) for part in value]
    if value is None or (isinstance(value, str | bool | int | float) and not isinstance(value, Said)):
        return value
    kind, inner = _taken_apart(value)
    return {_KIND: kind, "value": inner}


def decode(value: Any) -> Any:
    """What `encode` was given. Raises KeyError for anything else."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    kind, inner = value[_KIND], value["value"]
    if kind in _TYPES:
        return _TYPES[kind](**{name: decode(part) for name, part in inner.items()})
    return _MADE[kind](inner)


_MADE: Mapping[str, Callable[[Any], Any]] = {
    "said": said,
    "bytes": base64.b64decode,
    "time": datetime.fromisoformat,
    "seconds": lambda inner: timedelta(seconds=inner),
    "map": lambda inner: {name: decode(part) for name, part in inner.items()},
    "tuple": lambda inner: tuple(decode(part) for part in inner),
}


def _taken_apart(value: Any) -> tuple[str, Any]:
    parts: tuple[str, Any] | None = None
    if isinstance(value, Said):
        parts = "said", kept(value)
    elif isinstance(value, bytes):
        parts = "bytes", base64.b64encode(value).decode()
    elif isinstance(value, datetime):
        parts = "time", value.isoformat()
    elif isinstance(value, timedelta):
        parts = "seconds", value.total_seconds()
    elif isinstance(value, Mapping):
        parts = "map", {str(name): encode(part) for name, part in value.items()}
    elif isinstance(value, tuple):
        parts = "tuple", [encode(part) for part in value]
    elif is_dataclass(value) and type(value).__name__ in _TYPES:
        parts = (
            type(value).__name__,
            {field.name: encode(getattr(value, field.name)) for field in fields(value)},
        )
    if parts is None:
        message = f"A {type(value).__name__} is not part of the connectors' contract."
        raise TypeError(message)
    return parts


def error_to_json(error: ConnectorError) -> dict[str, Any]:
    """The error, so that it can be raised where it was asked."""
    return {
        "message": kept(error.message),
        "permanent": error.permanent,
        "waits_for": kept(error.waits_for) if isinstance(error, ConnectorPending) else None,
    }


def error_from_json(value: Mapping[str, Any]) -> ConnectorError:
    """The error as it was raised."""
    message = said(value["message"])
    if value["waits_for"] is not None:
        return ConnectorPending(message, waits_for=said(value["waits_for"]))
    return ConnectorError(message, permanent=value["permanent"])


def cannot_be_said(kind: str) -> ConnectorError:
    """What a connector answers whose answer does not fit the contract: a fault of ours, that trying again cannot mend."""
    return ConnectorError(
        say("What the connector “%(kind)s” answers cannot be passed on to another process.", kind=kind),
        permanent=True,
    )
