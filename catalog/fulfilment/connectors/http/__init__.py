"""Signed calls to automation tools, such as a SOAR platform or a build server (Standard Webhooks)."""

from catalog.fulfilment.connectors.http.connector import HttpConnector
from catalog.fulfilment.connectors.http.targets import Target, read_targets

__all__ = ["HttpConnector", "Target", "read_targets"]
