"""The ACME connector over Debian's pebble, names proven by http-01 through the portal's view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from catalog.fulfilment.connectors.acme.connector import AcmeConnector
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from tests.catalog.fulfilment.connectors import pebble
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.requests import make_csr

DANIEL = Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example")


@contextmanager
def _case(folder: Path) -> Iterator[ConnectorCase]:
    home = folder / "acme"
    with pebble.running() as authority:
        names = ("www.meridian.example", "mail.meridian.example")
        order = Order("SR-000007", "issue", {"csr": make_csr(*names)}, DANIEL)
        before = len(authority.issued())
        yield ConnectorCase(
            connector=AcmeConnector(authority.place(home)),
            order=order,
            bad_orders=(
                replace(order, parameters={"csr": "no request"}),
                replace(order, parameters={"csr": 7}),
                replace(order, parameters={"csr": make_csr("www.meridian.example", "10.1.2.3")}),
                replace(order, parameters={"csr": make_csr("*.meridian.example")}),
                replace(order, parameters={**order.parameters, "names": ["mail.meridian.example"]}),
                replace(order, action="revoke", parameters={"serial": "abc"}),
                replace(order, action="revoke", parameters={"serial": "abc", "reason": "dislike"}),
            ),
            # Whatever was issued since, and whether it is revoked, as the authority has it; and what is kept of it.
            snapshot=lambda: (
                [(serial, authority.state(serial)) for serial in authority.issued()[before:]],
                {file.name: file.read_bytes() for file in sorted(home.rglob("*.json"))},
            ),
            take_target_away=authority.stop,
        )


CASES = {"acme": _case}
