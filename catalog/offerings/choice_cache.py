"""What targets offer, remembered for a minute in this process, so that a form does not wait for them each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from catalog.fulfilment.connectors.contract import Choice
from catalog.fulfilment.connectors.registry import Connectors

#: Seconds for which a target's list counts as read.
LASTS = 60.0
_kept: WeakKeyDictionary[Connectors, dict[tuple[str, str], tuple[float, Sequence[Choice]]]] = (
    WeakKeyDictionary()
)


def remembered(
    connectors: Connectors, name: tuple[str, str], read: Callable[[], Sequence[Choice]]
) -> Sequence[Choice]:
    """What `read` gives, or gave within the last minute for the same connectors. What it raises is not kept."""
    kept = _kept.setdefault(connectors, {})
    now = time.monotonic()
    if name in kept and kept[name][0] > now:
        return kept[name][1]
    choices = tuple(read())
    kept[name] = (now + LASTS, choices)
    return choices
