"""Events: how a lower room sets off a higher one, in the same transaction.

The table of handlers is written once, in portal.wiring, and travels with the database that opens sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy.orm import Session

Handlers = Mapping[type[Any], Sequence[Callable[[Session, Any], None]]]


def publish(session: Session, event: object) -> None:
    """Call every handler of the event's type, in the table's order.

    A handler's error is the caller's error: the whole transaction fails.
    """
    handlers = cast("Handlers", session.info.get("handlers", {}))
    for handler in handlers.get(type(event), ()):
        handler(session, event)
