"""The CA connector over an authority in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.ca.key_files import Keys
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from tests.catalog.fulfilment.connectors import softhsm
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.requests import key_of, make_csr


@contextmanager
def _case(folder: Path, *, keys: Callable[[], Keys | None] = lambda: None) -> Iterator[ConnectorCase]:
    home = folder / "ca"
    authority = CertificateAuthority(home, "https://portal.meridian.example", keys=keys())
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


@contextmanager
def _renewing(folder: Path) -> Iterator[ConnectorCase]:
    """The present certificate is there; the order is for the next one."""
    with _case(folder) as case:
        case.connector.apply(case.connector.plan(case.order), "SR-000007/1/sha256:0b5e")
        (present,) = case.connector.live()
        names = case.order.parameters["names"]
        order = replace(
            case.order,
            reference="SR-000019",
            action="renew",
            parameters={
                "serial": present.facts["serial"],
                "csr": make_csr(*names, key=key_of("p384")),
                "validity_days": 90,
                "overlap_days": 7,
            },
        )
        yield replace(
            case,
            order=order,
            bad_orders=(
                replace(order, parameters={**order.parameters, "serial": "abc"}),
                replace(order, parameters={**order.parameters, "csr": make_csr(names[0])}),
                replace(order, parameters={**order.parameters, "csr": make_csr(*names, "more.example")}),
                replace(order, parameters={**order.parameters, "overlap_days": 61}),
                replace(order, parameters={**order.parameters, "overlap_days": "soon"}),
                replace(order, parameters={**order.parameters, "validity_days": 5, "overlap_days": 6}),
                replace(order, parameters={**order.parameters, "unit": 7}),
            ),
        )


CASES = {
    "ca": _case,
    # Its keys in a PKCS#11 token: what differs is every signature.
    "ca-token": partial(_case, keys=softhsm.keys),
    "ca-renewing": _renewing,
}
