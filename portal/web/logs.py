"""Logs: the identifiers of mailed links never reach one."""

from __future__ import annotations

import logging

from approvals.links.masking import LinkFilter


def install() -> None:
    """Mask the links on every handler that this process has, and on the one that Python falls back to."""
    handlers = [*logging.getLogger().handlers]
    for name in tuple(logging.root.manager.loggerDict):
        handlers += logging.getLogger(name).handlers
    if logging.lastResort is not None:
        handlers.append(logging.lastResort)
    for handler in handlers:
        if not any(isinstance(known, LinkFilter) for known in handler.filters):
            handler.addFilter(LinkFilter())
