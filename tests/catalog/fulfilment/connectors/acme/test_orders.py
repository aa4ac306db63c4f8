"""Orders at a real authority: found again after a crash, bound accounts, records in DNS, and what it refuses."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from flask import Flask

from catalog.fulfilment.connectors.acme import ordering, server
from catalog.fulfilment.connectors.acme.connector import AcmeConnector
from catalog.fulfilment.connectors.acme.views import blueprint
from catalog.fulfilment.connectors.contract import ConnectorError, Order
from tests.catalog.fulfilment.connectors import pebble
from tests.catalog.fulfilment.connectors.cases.acme import DANIEL
from tests.catalog.fulfilment.connectors.requests import make_csr


@pytest.fixture
def authority() -> Iterator[pebble.Pebble]:
    with pebble.running() as running:
        yield running


@pytest.fixture
def strict() -> Iterator[pebble.Pebble]:
    with pebble.running(binding=True) as running:
        yield running


def order(*names: str, reference: str = "SR-000007", **parameters: object) -> Order:
    csr = make_csr(*(names or ("www.meridian.example",)))
    return Order(reference, "issue", {"csr": csr, **parameters}, DANIEL)


def test_openssl_accepts_the_certificate_and_its_chain(authority: pebble.Pebble, tmp_path: Path) -> None:
    connector = AcmeConnector(authority.place(tmp_path / "acme"))
    files = connector.apply(connector.plan(order()), "key").artefacts
    for name, content in (*files.items(), ("root.pem", authority.managed("roots/0"))):
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "verify", "-verify_hostname", "www.meridian.example", "-CAfile", "root.pem"]
    done = subprocess.run(
        [*command, "-untrusted", "chain.pem", "certificate.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "certificate.pem: OK\n", done.stderr
    assert files["fullchain.pem"] == files["certificate.pem"] + files["chain.pem"]
    # The challenges are cleared away, and the account's key is its owner's alone.
    assert list((tmp_path / "acme" / "challenges").iterdir()) == []
    (key,) = (tmp_path / "acme").rglob("account.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


#: What a worker is about to do when it is killed: answering a challenge, and fetching the certificate.
@pytest.mark.parametrize("moment", ["say", "download"])
def test_an_order_that_was_interrupted_is_found_again_and_none_is_made_twice(
    authority: pebble.Pebble, tmp_path: Path, moment: str
) -> None:
    connector = AcmeConnector(authority.place(tmp_path / "acme"))
    plan = connector.plan(order())
    before = len(authority.issued())
    child = os.fork()
    if child == 0:
        where = server.Server if moment == "say" else ordering
        setattr(where, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        connector.apply(plan, "key")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    orders = {record.order for record in connector._records.every()}
    assert len(orders) == 1
    assert list(connector.live()) == []
    assert not connector.read_back(plan, "key").present
    # An operator's next attempt has a key of its own and still goes on with the same order.
    outcome = connector.apply(plan, "key of the next attempt")
    assert {outcome.facts["order"]} == orders
    assert connector.read_back(plan, "key").present
    assert connector.apply(plan, "key").facts == outcome.facts
    assert authority.issued()[before:] == [outcome.facts["serial"].zfill(16)]


def test_an_interrupted_order_that_is_undone_leaves_no_valid_certificate(
    authority: pebble.Pebble, tmp_path: Path
) -> None:
    connector = AcmeConnector(authority.place(tmp_path / "acme"))
    plan = connector.plan(order())
    child = os.fork()
    if child == 0:
        setattr(ordering, "download", lambda *_: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010
        connector.apply(plan, "key")
        os._exit(0)
    os.waitpid(child, 0)
    serial = authority.issued()[-1]
    assert authority.state(serial) == "Valid"
    assert connector.revert(plan, "key").facts["state"] == "revoked"
    assert authority.state(serial) == "Revoked"
    assert list(connector.live()) == []


def test_what_the_authority_revoked_by_itself_is_not_read_back(
    authority: pebble.Pebble, tmp_path: Path
) -> None:
    place = authority.place(tmp_path / "acme")
    connector = AcmeConnector(place)
    plan = connector.plan(order())
    pem = connector.apply(plan, "key").artefacts["certificate.pem"]
    server.Server.signed_in(place).revoke(x509.load_pem_x509_certificate(pem), 1)
    read = connector.read_back(plan, "key")
    assert (read.present, read.facts["state"]) == (False, "gone")
    assert connector.revert(plan, "key").facts["state"] == "revoked"


def test_a_certificate_is_revoked_by_its_serial_with_its_reason(
    authority: pebble.Pebble, tmp_path: Path
) -> None:
    connector = AcmeConnector(authority.place(tmp_path / "acme"))
    issued = connector.plan(order())
    serial = connector.apply(issued, "key").facts["serial"]
    wanted = Order("SR-000008", "revoke", {"serial": serial.upper(), "reason": "superseded"}, DANIEL)
    plan = connector.plan(wanted)
    assert (connector.removes(plan), connector.removes(issued)) == (connector.entitlement_key(issued), "")
    assert not connector.read_back(plan, "key-r").present
    assert connector.apply(plan, "key-r").facts == connector.apply(plan, "key-r").facts
    assert connector.read_back(plan, "key-r").present
    assert connector.plan(wanted).already_true
    assert authority.state(authority.issued()[-1]) == "Revoked"
    with pytest.raises(ConnectorError, match="never becomes valid again"):
        connector.revert(plan, "key-r")


def test_a_star_is_proven_in_dns_by_an_account_that_the_authority_knows(
    strict: pebble.Pebble, tmp_path: Path
) -> None:
    binding = {"eab_kid": pebble.KID, "eab_key": pebble.KEY}
    place = strict.place(tmp_path / "acme", dns_hook=strict.hook, contact="pki@meridian.example", **binding)
    connector = AcmeConnector(place)
    plan = connector.plan(order("*.meridian.example", "meridian.example"))
    assert "Each name is proven by a record in DNS (dns-01)" in [line.text for line in plan.lines]
    assert connector.apply(plan, "key").facts["names"] == ["*.meridian.example", "meridian.example"]
    assert connector.read_back(plan, "key").present
    connector.revert(plan, "key")
    assert strict.state(strict.issued()[-1]) == "Revoked"
    # The account is made once; later calls need no binding.
    assert connector.apply(connector.plan(order(reference="SR-000009")), "key-2").facts["serial"]


def test_without_binding_the_operators_are_told_what_to_set(strict: pebble.Pebble, tmp_path: Path) -> None:
    connector = AcmeConnector(strict.place(tmp_path / "acme"))
    with pytest.raises(ConnectorError, match="must set ACME_EAB_KID and ACME_EAB_KEY") as raised:
        connector.apply(connector.plan(order()), "key")
    assert raised.value.permanent
    wrong = strict.place(tmp_path / "other", eab_kid=pebble.KID, eab_key="d3Jvbmc")
    with pytest.raises(ConnectorError, match="refuses: ") as raised:
        AcmeConnector(wrong).apply(connector.plan(order()), "key")
    assert raised.value.permanent


def test_a_name_that_does_not_lead_here_is_refused_in_the_authoritys_words(
    authority: pebble.Pebble, tmp_path: Path
) -> None:
    connector = AcmeConnector(authority.place(tmp_path / "acme"))
    authority.place(tmp_path / "elsewhere")  # the view looks for answers in another folder
    plan = connector.plan(order())
    with pytest.raises(ConnectorError) as raised:
        connector.apply(plan, "key")
    assert raised.value.permanent
    assert "could not see that www.meridian.example is ours by http-01" in raised.value.message
    # Once the name leads here, the same step begins anew.
    authority.place(tmp_path / "acme")
    assert connector.apply(plan, "key").facts["names"] == ["www.meridian.example"]


def test_a_program_for_dns_that_fails_is_told(authority: pebble.Pebble, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\necho the zone is locked >&2\nexit 3\n")
    hook.chmod(0o700)
    connector = AcmeConnector(authority.place(tmp_path / "acme", dns_hook=str(hook)))
    with pytest.raises(
        ConnectorError, match=r"failed for _acme-challenge\..* \(the zone is locked\)"
    ) as raised:
        connector.apply(connector.plan(order()), "key")
    assert not raised.value.permanent


def test_an_authority_with_a_certificate_of_a_stranger_is_not_spoken_to(
    authority: pebble.Pebble, tmp_path: Path
) -> None:
    place = replace(authority.place(tmp_path / "acme"), ca_file="")
    with pytest.raises(ConnectorError, match="its TLS certificate is not trusted") as raised:
        AcmeConnector(place).plan(order())
    assert not raised.value.permanent


def test_the_portal_serves_answers_and_nothing_else_of_the_folder(tmp_path: Path) -> None:
    app = Flask("challenges")
    app.register_blueprint(blueprint(tmp_path))
    (tmp_path / "challenges").mkdir()
    (tmp_path / "challenges" / ("t" * 43)).write_text("t.thumbprint")
    (tmp_path / "account.key").write_text("secret")
    (tmp_path / "challenges" / "short").write_text("secret")
    client = app.test_client()
    answer = client.get(f"/.well-known/acme-challenge/{'t' * 43}")
    assert (answer.status_code, answer.data) == (200, b"t.thumbprint")
    assert answer.content_type == "application/octet-stream"
    for path in ("u" * 43, "short", "..%2Faccount.key", "../account.key", "%2e%2e/account.key", "t" * 200):
        assert client.get(f"/.well-known/acme-challenge/{path}").status_code == 404, path
