"""The firewall connector over a policy in a git repository: once for IPv4 with an end, once for IPv6 without.

The second is pushed to a remote and loaded into the kernel of a network namespace.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.kernel import Kernel
from catalog.fulfilment.connectors.firewall.remote import Remote
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from tests.catalog.fulfilment.connectors.case import ConnectorCase

ANNA = Beneficiary("anna.berg", "Anna Berg", "anna.berg@meridian.example")
IPV4 = {
    "source_zone": "office",
    "destination_zone": "dmz",
    "source": "10.1.2.0/24",
    "destination": ["10.9.0.10/32"],
    "protocol": "tcp",
    "ports": "443",
}
IPV6 = IPV4 | {"source": "fd00:10:1::/64", "destination": "fd00:10:9::7", "protocol": "icmp", "ports": ""}


@contextmanager
def _case(
    folder: Path, *, parameters: dict[str, object], ends_at: datetime | None, **options: Any
) -> Iterator[ConnectorCase]:
    repository = folder / "policy"
    create_repository(repository, zones=ZONES, baseline=BASELINE)
    order = Order("SR-000007", "allow", parameters, ANNA, ends_at)

    def but(**changed: object) -> Order:
        return replace(order, parameters=order.parameters | changed)

    yield ConnectorCase(
        connector=FirewallConnector(repository, **options),
        order=order,
        bad_orders=(
            but(source="0.0.0.0/0", destination="0.0.0.0/0"),
            but(source="10.1.2.3/24"),
            but(source="10.1.2.0/0.0.0.255"),
            but(source="10.2.0.0/24"),
            but(source=7),
            but(source=[]),
            but(source={"a": 1}),
            but(destination="127.0.0.1"),
            but(destination='10.9.0.10" ; accept comment "y'),
            but(protocol="gre"),
            but(protocol=7),
            but(ports="443; accept"),
            but(ports="1-65535"),
            but(source_zone="moon"),
            but(source_zone=["office"]),
            but(source_zone="dmz"),
            but(comment="x"),
            replace(order, ends_at=datetime(2020, 1, 1, tzinfo=UTC)),
            replace(order, action="remove", parameters={"rule": "SR-999999"}),
            replace(order, action="remove", parameters={"rule": "../zones"}),
            replace(order, action="remove", parameters={"rule": 7}),
        ),
        snapshot=partial(content_of, repository),
        take_target_away=lambda: repository.rename(folder / "away") and None,
    )


@contextmanager
def _pushed_and_loaded(folder: Path) -> Iterator[ConnectorCase]:
    remote, name = folder / "remote.git", f"cs{os.getpid()}-case"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", remote], check=True)
    subprocess.run(["ip", "netns", "add", name], check=True)
    prefix = ("ip", "netns", "exec", name)
    try:
        kernel, pushed = Kernel(prefix), Remote(str(remote))
        with _case(folder, parameters=IPV6, ends_at=None, kernel=kernel, remote=pushed) as case:
            case.connector.load()
            yield replace(
                case,
                snapshot=lambda: (case.snapshot(), kernel.read(), _head_of(remote)),
                take_target_away=lambda: remote.rename(folder / "away") and None,
            )
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def _head_of(remote: Path) -> str:
    done = subprocess.run(
        ["git", "-C", remote, "rev-parse", "main"], check=False, capture_output=True, text=True
    )
    return done.stdout


def content_of(repository: Path) -> tuple[str, dict[str, bytes]]:
    """The commit that the policy stands at, and the work tree's files."""
    head = subprocess.run(
        ["git", "-C", repository, "rev-parse", "main"], check=True, capture_output=True, text=True
    ).stdout.strip()
    files = (path for path in sorted(repository.rglob("*")) if path.is_file() and ".git" not in path.parts)
    return head, {str(path.relative_to(repository)): path.read_bytes() for path in files}


CASES = {
    "firewall": partial(_case, parameters=IPV4, ends_at=datetime(2099, 1, 31, 16, tzinfo=UTC)),
    "firewall-pushed-and-loaded": _pushed_and_loaded,
}
