"""A worker killed at any moment of issuing or revoking: exactly one certificate per key, never half of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from tests.catalog.fulfilment.connectors.requests import make_csr

#: What Python reports of itself while files are opened, written and renamed (audit events).
WATCHED = {
    "open",
    "os.rename",
    "os.remove",
    "os.chmod",
    "tempfile.mkstemp",
    "fcntl.flock",
    "os.listdir",
    "os.scandir",
}
MOST_MOMENTS = 200


def killed_at(moment: int, act: Callable[[], object]) -> bool:
    """Fork, act, and die without warning at this moment. Returns whether the child died before it was done."""
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, _: object) -> None:
            nonlocal seen
            if event in WATCHED:
                seen += 1
                if seen == moment:
                    os._exit(9)

        sys.addaudithook(watch)
        try:
            act()
        except BaseException:  # noqa: BLE001  (a child of a fork must never come back into the test)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, 9}
    return code == 9


def new_connector(folder: Path) -> CaConnector:
    authority = CertificateAuthority(folder, "https://portal.meridian.example")
    authority.create_if_missing()
    return CaConnector(authority)


def order(number: int) -> Order:
    return Order(
        f"SR-{number:06}",
        "issue",
        {"csr": make_csr("www.meridian.example")},
        Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example"),
    )


def test_a_crash_at_any_moment_of_issuing_leaves_one_certificate_per_key(tmp_path: Path) -> None:
    connector = new_connector(tmp_path / "ca")
    moment, issued_before_death = 0, 0
    while moment < MOST_MOMENTS:
        moment += 1
        plan, key = connector.plan(order(moment)), f"key-{moment}"
        died = killed_at(moment, partial(connector.apply, plan, key))
        there = [live for live in connector.live() if live.reference == f"SR-{moment:06}"]
        issued_before_death += died and bool(there)
        outcome = connector.apply(plan, key)
        live = [live for live in connector.live() if live.key == connector.entitlement_key(plan)]
        assert [entry.facts["serial"] for entry in live] == [outcome.facts["serial"]]
        assert not there or there[0].facts["serial"] == outcome.facts["serial"]
        assert connector.read_back(plan, key).present
        if not died:
            break
    assert 5 < moment < MOST_MOMENTS
    # Some deaths fell after the moment of issue: those certificates were found again, not issued again.
    assert issued_before_death > 0
    assert len(list((tmp_path / "ca" / "by-key").glob("*.json"))) == moment


def test_a_crash_at_any_moment_of_revoking_ends_revoked(tmp_path: Path) -> None:
    moment = 0
    while moment < MOST_MOMENTS:
        moment += 1
        connector = new_connector(tmp_path / str(moment))
        plan, key = connector.plan(order(moment)), f"key-{moment}"
        connector.apply(plan, key)
        died = killed_at(moment, partial(connector.revert, plan, key))
        connector.revert(plan, key)
        assert not connector.read_back(plan, key).present
        assert list(connector.live()) == []
        if not died:
            break
    assert 5 < moment < MOST_MOMENTS
