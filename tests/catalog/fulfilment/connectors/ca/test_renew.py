"""Renewing: the same names, what differs said, both certificates for a while, and then one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan
from tests.catalog.fulfilment.connectors.ca.conftest import DANIEL, MovedClock
from tests.catalog.fulfilment.connectors.requests import key_of, make_csr

MakeOrder = Callable[..., Order]
OpenSsl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def present(connector: CaConnector, order: MakeOrder, tmp_path: Path) -> str:
    """The serial of the present certificate, which lies in the folder of the test."""
    outcome = connector.apply(connector.plan(order()), "key")
    (tmp_path / "present.pem").write_bytes(outcome.artefacts["certificate.pem"])
    return str(outcome.facts["serial"])


def renewal(serial: str, *, key: ec.EllipticCurvePrivateKey | None = None, **parameters: object) -> Order:
    csr = make_csr("www.meridian.example", key=key or key_of("p384"))
    return Order("SR-000020", "renew", {"serial": serial, "csr": csr, **parameters}, DANIEL)


def texts(plan: Plan) -> list[tuple[str, str]]:
    return [(line.change, str(line.text)) for line in plan.lines]


def test_the_plan_shows_what_differs(
    present: str, connector: CaConnector, authority: CertificateAuthority
) -> None:
    plan = connector.plan(renewal(present, overlap_days=14))
    assert texts(plan)[:3] == [
        (
            "add",
            f"Renew the certificate {present} for www.meridian.example, which SR-000011 had issued",
        ),
        ("remove", "The present certificate stays valid for 14 more days at most and is then revoked"),
        ("keep", "The names are the same as before"),
    ]
    old = authority.records.find_by_serial(present)
    assert old is not None
    assert ("change", f"The key is a new one; before it was {old.spki_sha256}") in texts(plan)
    assert not any("before it was 90" in text for _, text in texts(plan))
    authority.create_unit("freight", Bounds.read(["meridian.example"]))
    other = connector.plan(
        renewal(present, key=key_of("p256"), validity_days=30, unit="freight", overlap_days=1)
    )
    assert ("keep", "The key is the same as before") in texts(other)
    assert ("change", "It is valid for 30 days; before it was 90") in texts(other)
    assert (
        "remove",
        "The present certificate stays valid for 1 more day at most and is then revoked",
    ) in texts(other)
    new, old_issuer = "CN=Meridian freight Issuing CA,O=Meridian", "CN=Meridian Issuing CA,O=Meridian"
    assert ("change", f"The issuer is {new}; before it was {old_issuer}") in texts(other)
    assert "This key is used again" in other.warnings[0]


def test_both_are_valid_for_the_overlap_and_then_openssl_refuses_the_old_one(
    present: str, connector: CaConnector, authority: CertificateAuthority, clock: MovedClock
) -> None:
    plan = connector.plan(renewal(present, overlap_days=7))
    renewed = connector.apply(plan, "key-r").facts["serial"]
    assert {live.facts["serial"] for live in connector.live()} == {present, renewed}
    assert len(x509.load_der_x509_crl(authority.crl())) == 0
    facts = connector.read_back(plan, "key-r").facts
    assert facts["renews"] == present
    clock.moved = timedelta(days=6, hours=23)
    assert {live.facts["serial"] for live in connector.live()} == {present, renewed}
    clock.moved = timedelta(days=7, minutes=1)
    assert {live.facts["serial"] for live in connector.live()} == {renewed}
    (entry,) = x509.load_der_x509_crl(authority.crl())
    assert f"{entry.serial_number:x}" == present
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.superseded
    assert connector.read_back(plan, "key-r").present
    assert connector.plan(renewal(present, overlap_days=7)).already_true


def test_without_overlap_the_old_one_is_revoked_for_openssl_at_once(
    present: str, connector: CaConnector, openssl: OpenSsl, tmp_path: Path
) -> None:
    question = ("ocsp", "-issuer", "chain.pem", "-cert", "present.pem", "-CAfile", "root.pem", "-url")
    leaf = x509.load_pem_x509_certificate((tmp_path / "present.pem").read_bytes())
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    url = str(access[0].access_location.value)
    connector.apply(connector.plan(renewal(present, overlap_days=7)), "key-r")
    # The end that is to come shows: “good” is said until then and no longer.
    assert "present.pem: good" in openssl(*question, url).stdout
    connector.revert(connector.plan(renewal(present, overlap_days=7)), "key-r")
    connector.apply(connector.plan(renewal(present, overlap_days=0, validity_days=80)), "key-s")
    assert "present.pem: revoked" in openssl(*question, url).stdout


def test_undone_in_time_the_present_certificate_stays(
    present: str, connector: CaConnector, clock: MovedClock
) -> None:
    plan = connector.plan(renewal(present))
    connector.apply(plan, "key-r")
    connector.revert(plan, "key-r")
    clock.moved = timedelta(days=60)
    assert [live.facts["serial"] for live in connector.live()] == [present]


def test_what_is_revoked_or_renewed_already_is_not_renewed(
    present: str, connector: CaConnector, order: MakeOrder
) -> None:
    connector.apply(connector.plan(renewal(present)), "key-r")
    again = Order("SR-000021", "renew", dict(renewal(present).parameters), DANIEL)
    with pytest.raises(ConnectorError, match="was renewed already") as raised:
        connector.plan(again)
    assert raised.value.permanent
    connector.revert(connector.plan(order()), "key")
    with pytest.raises(ConnectorError, match="is revoked, so it is not renewed"):
        connector.plan(again)
