"""An authority whose public side is really served, with a clock that the test moves."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.ca.views import blueprint
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from tests.catalog.fulfilment.connectors.directory import serving
from tests.catalog.fulfilment.connectors.requests import make_csr

DANIEL = Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example")


class MovedClock:
    """The real time, moved by what the test says, as openssl reads the machine's clock."""

    def __init__(self) -> None:
        self.moved = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def authority(tmp_path: Path, clock: MovedClock) -> Iterator[CertificateAuthority]:
    app = Flask("pki")
    with serving(app) as (address, _):
        made = CertificateAuthority(tmp_path / "ca", address, name="Meridian", now=clock)
        made.create_if_missing()
        app.register_blueprint(blueprint(made))
        yield made


@pytest.fixture
def connector(authority: CertificateAuthority) -> CaConnector:
    return CaConnector(authority)


@pytest.fixture
def order() -> Callable[..., Order]:
    def make(*names: str, reference: str = "SR-000011", **parameters: object) -> Order:
        csr = parameters.pop("csr", None) or make_csr(*(names or ("www.meridian.example",)))
        return Order(reference, "issue", {"csr": csr, **parameters}, DANIEL)

    return make


@pytest.fixture
def openssl(
    tmp_path: Path, authority: CertificateAuthority
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The openssl command in a folder that holds root.pem and chain.pem."""
    (tmp_path / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    (tmp_path / "chain.pem").write_bytes(authority.issuing.public_bytes(Encoding.PEM))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )

    return run
