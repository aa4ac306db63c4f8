"""The CA connector over an authority in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.requests import make_csr


@contextmanager
def _case(folder: Path) -> Iterator[ConnectorCase]:
    home = folder / "ca"
    authority = CertificateAuthority(home, "https://portal.meridian.example")
    authority.create_if_missing()
    csr = make_csr("www.meridian.example", "10.1.2.3", common_name="www.meridian.example")
    order = Order(
        "SR-000007",
        "issue",
        {
            "csr": csr,
            "names": ["www.meridian.example", "10.1.2.3"],
            "validity_days": 90,
            "profile": "tls-server",
        },
        Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example"),
    )
    yield ConnectorCase(
        connector=CaConnector(authority),
        order=order,
        bad_orders=(
            replace(order, parameters={**order.parameters, "csr": "no request"}),
            replace(order, parameters={**order.parameters, "csr": 7}),
            replace(order, parameters={**order.parameters, "validity_days": 201}),
            replace(order, parameters={**order.parameters, "validity_days": 0}),
            replace(order, parameters={**order.parameters, "validity_days": True}),
            replace(order, parameters={**order.parameters, "validity_days": "9" * 5000}),
            replace(order, parameters={**order.parameters, "profile": "ca"}),
            replace(order, parameters={**order.parameters, "profile": ["tls-server"]}),
            replace(order, parameters={**order.parameters, "names": ["mail.meridian.example"]}),
            replace(order, parameters={**order.parameters, "names": ["www.meridian.example"]}),
            replace(order, parameters={**order.parameters, "names": 7}),
            replace(order, action="revoke", parameters={"serial": "abc"}),
            replace(order, action="revoke", parameters={"serial": "abc", "reason": "dislike"}),
        ),
        snapshot=lambda: {
            str(file.relative_to(home)): file.read_bytes()
            for file in sorted(home.rglob("*"))
            if file.is_file() and file.name != "lock"
        },
        take_target_away=lambda: home.rename(folder / "away") and None,
    )


CASES = {"ca": _case}
