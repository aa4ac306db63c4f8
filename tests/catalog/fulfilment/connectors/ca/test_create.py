"""Making the authority: once, with keys that only its owner reads."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Order
from tests.catalog.fulfilment.connectors.requests import make_csr

URL = "https://portal.meridian.example"


def order() -> Order:
    return Order("SR-000001", "issue", {"csr": make_csr("a.example")}, Beneficiary("a", "A", "a@a.example"))


def test_keys_are_read_by_their_owner_only(tmp_path: Path) -> None:
    CertificateAuthority(tmp_path / "ca", URL).create_if_missing()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "ca").glob("*.key")}
    assert modes == {"root.key": 0o600, "issuing.key": 0o600}
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_the_root_lasts_ten_years_and_may_sign_one_level(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path, URL, name="Meridian")
    authority.create_if_missing()
    root, issuing = authority.root, authority.issuing
    assert root.subject.rfc4514_string() == "CN=Meridian Root CA,O=Meridian"
    assert root.not_valid_after_utc - root.not_valid_before_utc >= timedelta(days=3650)
    issuing.verify_directly_issued_by(root)
    constraints = issuing.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, 0, True)


def test_a_second_call_keeps_the_authority(tmp_path: Path) -> None:
    CertificateAuthority(tmp_path, URL).create_if_missing()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    CertificateAuthority(tmp_path, "https://elsewhere.example").create_if_missing()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


def test_processes_that_start_together_make_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: CertificateAuthority(tmp_path, URL).create_if_missing(), range(4)))
    authority = CertificateAuthority(tmp_path, URL)
    authority.issuing.verify_directly_issued_by(authority.root)
    assert CaConnector(authority).apply(CaConnector(authority).plan(order()), "key").artefacts


@pytest.mark.parametrize(
    "left", [["root.key"], ["root.key", "root.crt"], ["root.key", "root.crt", "issuing.key"]]
)
def test_a_half_made_authority_is_made_anew(tmp_path: Path, left: list[str]) -> None:
    CertificateAuthority(tmp_path, URL).create_if_missing()
    for file in tmp_path.iterdir():
        if file.is_file() and file.name not in left:
            file.unlink()
    authority = CertificateAuthority(tmp_path, URL)
    authority.create_if_missing()
    authority.issuing.verify_directly_issued_by(authority.root)
    assert CaConnector(authority).apply(CaConnector(authority).plan(order()), "key").artefacts


def test_an_authority_that_has_issued_is_never_made_anew(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path, URL)
    authority.create_if_missing()
    CaConnector(authority).apply(CaConnector(authority).plan(order()), "key")
    (tmp_path / "issuing.crt").unlink()
    with pytest.raises(ConnectorError, match="restore the folder from a backup") as raised:
        CertificateAuthority(tmp_path, URL).create_if_missing()
    assert raised.value.permanent


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    CertificateAuthority(tmp_path, URL).create_if_missing()
    (tmp_path / "issuing.key").chmod(0o640)
    connector = CaConnector(CertificateAuthority(tmp_path, URL))
    with pytest.raises(ConnectorError, match="can be read by other users") as raised:
        connector.apply(connector.plan(order()), "key")
    assert raised.value.permanent
    assert list(connector.live()) == []


def test_a_key_that_is_not_the_certificates_is_not_used(tmp_path: Path) -> None:
    for name in ("one", "two"):
        CertificateAuthority(tmp_path / name, URL).create_if_missing()
    (tmp_path / "two" / "issuing.key").replace(tmp_path / "one" / "issuing.key")
    connector = CaConnector(CertificateAuthority(tmp_path / "one", URL))
    with pytest.raises(ConnectorError, match="is not the key of"):
        connector.apply(connector.plan(order()), "key")


def test_the_roots_key_may_be_taken_away(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path, URL)
    authority.create_if_missing()
    (tmp_path / "root.key").unlink()
    connector = CaConnector(CertificateAuthority(tmp_path, URL))
    connector.apply(connector.plan(order()), "key")
    assert connector.read_back(connector.plan(order()), "key").present
    assert authority.root.public_bytes(Encoding.PEM)
