"""A policy in a real git repository, and orders of a named cast against it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import Order
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import WEB, allow


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def fresh_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; a copy costs a tenth of making it."""
    path = tmp_path_factory.mktemp("firewall") / "policy"
    create_repository(path, zones=ZONES, baseline=BASELINE)
    return path


@pytest.fixture
def repository(tmp_path: Path, fresh_repository: Path) -> Path:
    return shutil.copytree(fresh_repository, tmp_path / "policy", symlinks=True)


@pytest.fixture
def firewall(repository: Path, clock: Clock) -> FirewallConnector:
    return FirewallConnector(repository, clock=clock)


@pytest.fixture
def applied(firewall: FirewallConnector) -> Callable[..., Order]:
    """Bring a rule into force; answers the order."""

    def apply(reference: str = "SR-000123", **changed: object) -> Order:
        order = allow(reference, **(WEB | changed))
        firewall.apply(firewall.plan(order), f"{reference}/1")
        return order

    return apply
