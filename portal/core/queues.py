"""Which connector's tasks run on which queue, as QUEUES says: `directory=scim,ldap firewall=firewall`."""

from __future__ import annotations

import re

from portal.core.errors import SettingsError

DEFAULT_QUEUE = "default"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_EXAMPLE = "such as: directory=scim,ldap firewall=firewall"


def parse_queues(text: str) -> tuple[tuple[str, str], ...]:
    """Connector and queue, one pair for each connector that is named. Raises SettingsError."""
    queues: dict[str, str] = {}
    for part in text.split():
        queue, sign, kinds = part.partition("=")
        named = [kind for kind in kinds.split(",") if kind]
        if not sign or not named or not all(_NAME.fullmatch(name) for name in (queue, *named)):
            message = f"QUEUES holds {part!r}; it must name a queue and its connectors, {_EXAMPLE}."
            raise SettingsError(message)
        for kind in named:
            if queues.setdefault(kind, queue) != queue:
                message = f"QUEUES puts the connector {kind} on two queues, {queues[kind]} and {queue}."
                raise SettingsError(message)
    return tuple(queues.items())


def insist_on_queue(queue: str, queues: tuple[tuple[str, str], ...]) -> None:
    """Raise SettingsError for a queue that nothing is put on, so that no worker waits there for ever."""
    known = dict.fromkeys([DEFAULT_QUEUE, *(name for _kind, name in queues)])
    if queue not in known:
        message = f"There is no queue {queue!r}; QUEUES names: {', '.join(known)}."
        raise SettingsError(message)
