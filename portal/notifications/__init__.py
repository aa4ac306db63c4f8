"""Messages to people: written in the transaction of what they tell of, sent after it."""

from portal.notifications.write import notify

__all__ = ["notify"]
