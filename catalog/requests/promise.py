"""The promise: when a request will be done if everybody uses up their time."""

from __future__ import annotations

from datetime import datetime, timedelta

#: What the worker needs after the last approval, with its retries while a target is away.
FULFILMENT = timedelta(minutes=15)


def promised(last_stage_due: datetime) -> datetime:
    """When it is done (UTC), given when the last stage is due."""
    return last_stage_due + FULFILMENT
