"""Messages to people: written in the transaction of what they tell of, sent after it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.notifications.write import notify

__all__ = ["notify"]


def __getattr__(name: str) -> Any:
    # Loaded when first asked for: the development mailbox lives in this package too, and starts in half the
    # time without the database and the queue, of which it needs nothing.
    if name == "notify":
        from portal.notifications.write import notify  # noqa: PLC0415

        return notify
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
