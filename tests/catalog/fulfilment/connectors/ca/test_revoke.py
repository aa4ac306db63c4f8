"""Revoking: openssl sees it in the list and by OCSP; it is once and for ever."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import ConnectorError, Order
from tests.catalog.fulfilment.connectors.ca.conftest import DANIEL, MovedClock

MakeOrder = Callable[..., Order]
OpenSsl = Callable[..., subprocess.CompletedProcess[str]]


def crl_of(authority: CertificateAuthority) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(authority.crl())


def number_of(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.fixture
def issued(connector: CaConnector, order: MakeOrder, tmp_path: Path) -> str:
    """The serial of a certificate whose files lie in the folder of the test."""
    outcome = connector.apply(connector.plan(order()), "key")
    for name, content in outcome.artefacts.items():
        (tmp_path / name).write_bytes(content)
    return str(outcome.facts["serial"])


def revocation(serial: str, reason: str) -> Order:
    return Order("SR-000013", "revoke", {"serial": serial, "reason": reason}, DANIEL)


def fetched_crl(authority: CertificateAuthority, folder: Path, openssl: OpenSsl) -> str:
    """The list as a client finds it: from the address in the certificate, turned into PEM by openssl."""
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    with urllib.request.urlopen(points[0].full_name[0].value, timeout=60) as answer:
        (folder / "crl.der").write_bytes(answer.read())
    made = openssl(
        "crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem", "-CAfile", "chain.pem", "-text"
    )
    assert "verify OK" in made.stderr
    return (folder / "crl.pem").read_text()


def check(openssl: OpenSsl) -> subprocess.CompletedProcess[str]:
    return openssl(
        *("verify", "-crl_check", "-CAfile", "root.pem", "-untrusted", "chain.pem", "-CRLfile", "crl.pem"),
        "certificate.pem",
    )


def test_openssl_refuses_a_revoked_certificate_by_the_list(
    issued: str,
    authority: CertificateAuthority,
    connector: CaConnector,
    order: MakeOrder,
    openssl: OpenSsl,
    tmp_path: Path,
) -> None:
    assert "No Revoked Certificates." in fetched_crl(authority, tmp_path, openssl)
    assert check(openssl).stdout == "certificate.pem: OK\n"
    connector.revert(connector.plan(order()), "key")
    text = fetched_crl(authority, tmp_path, openssl)
    assert issued.upper() in text
    assert "Cessation Of Operation" in text
    refused = check(openssl)
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr


def test_the_list_lasts_a_day_and_its_number_rises(
    authority: CertificateAuthority, connector: CaConnector, order: MakeOrder, clock: MovedClock
) -> None:
    first = crl_of(authority)
    assert first.next_update_utc is not None
    assert timedelta(hours=23, minutes=59) < first.next_update_utc - clock() <= timedelta(hours=24)
    assert authority.crl() == authority.crl()
    clock.moved = timedelta(hours=17)
    assert number_of(crl_of(authority)) == number_of(first)
    clock.moved = timedelta(hours=19)
    aged = crl_of(authority)
    assert number_of(aged) > number_of(first)
    clock.moved = timedelta(hours=-1)
    turned_back = crl_of(authority)
    assert number_of(turned_back) > number_of(aged)
    assert turned_back.last_update_utc < clock()
    connector.revert(connector.plan(order()), "no such key")
    plan = connector.plan(order())
    connector.apply(plan, "key")
    connector.revert(plan, "key")
    assert number_of(crl_of(authority)) > number_of(turned_back)


def test_the_number_rises_even_when_the_last_list_was_lost(
    authority: CertificateAuthority, clock: MovedClock
) -> None:
    before = number_of(crl_of(authority))
    clock.moved = timedelta(seconds=2)
    (authority.folder / "crl.json").write_text("lost")
    assert number_of(crl_of(authority)) > before


def test_an_old_revocation_leaves_the_list_after_the_certificates_end(
    issued: str, authority: CertificateAuthority, connector: CaConnector, order: MakeOrder, clock: MovedClock
) -> None:
    connector.revert(connector.plan(order()), "key")
    clock.moved = timedelta(days=91)
    assert len(crl_of(authority)) == 1
    clock.moved = timedelta(days=93)
    assert len(crl_of(authority)) == 0


def test_reverting_says_why_and_when(issued: str, connector: CaConnector, order: MakeOrder) -> None:
    facts = connector.revert(connector.plan(order()), "key").facts
    assert (facts["serial"], facts["state"], facts["reason"]) == (issued, "revoked", "cessationOfOperation")
    read = connector.read_back(connector.plan(order()), "key")
    assert (read.present, read.facts) == (False, facts)


def test_reverting_with_another_key_finds_the_certificate_by_its_request(
    issued: str, connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    first = connector.revert(plan, "key/revert")
    assert first.facts["serial"] == issued
    assert connector.revert(plan, "key/revert").facts == first.facts
    assert list(connector.live()) == []


def test_a_certificate_at_its_end_needs_no_revocation(
    issued: str, authority: CertificateAuthority, connector: CaConnector, order: MakeOrder, clock: MovedClock
) -> None:
    plan = connector.plan(order())
    clock.moved = timedelta(days=90, hours=1)
    assert list(connector.live()) == []
    assert not connector.read_back(plan, "key").present
    facts = connector.revert(plan, "key").facts
    assert (facts["serial"], facts["state"]) == (issued, "expired")
    assert connector.revert(plan, "key").facts == facts
    assert len(crl_of(authority)) == 0


def test_a_revocation_can_be_ordered_by_serial(
    issued: str, connector: CaConnector, authority: CertificateAuthority
) -> None:
    with_colons = (
        ":".join(issued[n : n + 2] for n in range(0, len(issued), 2)) if len(issued) % 2 == 0 else issued
    )
    plan = connector.plan(revocation(with_colons.upper(), "superseded"))
    assert plan.lines[0].text == f"Revoke the certificate {issued} for www.meridian.example"
    assert not connector.read_back(plan, "key-r").present
    assert [live.key for live in connector.live()] == [connector.entitlement_key(plan)]
    first = connector.apply(plan, "key-r")
    assert connector.apply(plan, "key-r") == first
    assert connector.read_back(plan, "key-r").present
    assert connector.plan(revocation(issued, "superseded")).effect == plan.effect
    assert connector.plan(revocation(issued, "superseded")).already_true
    assert list(connector.live()) == []
    (entry,) = crl_of(authority)
    assert f"{entry.serial_number:x}" == issued
    assert (
        entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.superseded
    )


def test_a_revocation_is_for_ever_and_keeps_its_first_reason(issued: str, connector: CaConnector) -> None:
    plan = connector.plan(revocation(issued, "superseded"))
    connector.apply(plan, "key-r")
    with pytest.raises(ConnectorError) as raised:
        connector.revert(plan, "key-r")
    assert raised.value.permanent
    assert raised.value.message == "A revoked certificate never becomes valid again. Order a new one."
    later = connector.plan(revocation(issued, "keyCompromise"))
    assert connector.apply(later, "key-s").facts["reason"] == "superseded"


def test_an_unknown_serial_is_refused(connector: CaConnector) -> None:
    with pytest.raises(ConnectorError) as raised:
        connector.plan(revocation("00ff", "superseded"))
    assert raised.value.message == "This authority has issued no certificate with the serial number “00ff”."
    assert raised.value.permanent


def test_a_key_given_up_as_known_to_others_is_never_certified_again(
    issued: str, connector: CaConnector, order: MakeOrder
) -> None:
    waiting = connector.plan(order(reference="SR-000014"))
    connector.apply(connector.plan(revocation(issued, "keyCompromise")), "key-r")
    for call in (
        lambda: connector.plan(order(reference="SR-000015")),
        lambda: connector.apply(waiting, "key-w"),
    ):
        with pytest.raises(ConnectorError, match="was reported as known to others") as raised:
            call()
        assert raised.value.permanent
