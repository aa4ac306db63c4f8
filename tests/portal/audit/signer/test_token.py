"""The ledger's key in a PKCS#11 token: made by an operator's word, used by the signer's process, never taken out."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pkcs11
import pytest
from click.testing import CliRunner

from portal.audit.notes import read_verifier_key, verify_head
from portal.audit.signer.cli import signer_command
from portal.core.errors import SettingsError
from portal.core.token import Token
from tests.catalog.fulfilment.connectors import softhsm
from tests.portal.audit.signer.conftest import Log, SignerProcess


@pytest.fixture
def process() -> Iterator[SignerProcess]:
    where = softhsm.place()
    made = SignerProcess(
        SIGNER_PKCS11_MODULE=where.module,
        SIGNER_PKCS11_TOKEN=where.token,
        SIGNER_PKCS11_PIN=where.pin,
        SIGNER_PKCS11_KEY=where.key,
        SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"],
    )
    yield made
    made.clear()


def test_a_key_in_a_token_signs_and_is_rotated_there(process: SignerProcess) -> None:
    process.start()
    log = Log()
    answer = process.add(0, [], log.grow(3))
    assert (answer.status, "countersign signer --create" in answer.text) == (503, True)

    # A token keeps what another process made from who looked before: the signer is started after the key is made.
    process.stop()
    created = CliRunner().invoke(signer_command, ["--create"], env=process.environment)
    assert created.exit_code == 0, created.output
    process.start()
    lines = process.add(0, [], log.head()).text
    verifier = created.output.split("\n")[0]
    assert verify_head(f"{log.head().body()}\n{lines}", *read_verifier_key(verifier)).size == 3
    assert list(process.folder.glob("*.pem")) == []

    rotated = process.ask("POST", "/rotate", b'{"overlap_days": 30}')
    assert rotated.status == 200, rotated.text
    log.grow(1)
    both = process.add(3, log.proof(3), log.head()).text
    assert len(both.splitlines()) == 2
    for known in process.desk.state().verifiers:
        verify_head(f"{log.head().body()}\n{both}", *read_verifier_key(known))
    process.stop()

    label = process.environment["SIGNER_PKCS11_KEY"]
    pkcs11.lib(softhsm.MODULE).reinitialize()

    def look(session: pkcs11.Session) -> None:
        for name in (label, f"{label}-2"):
            wanted = {
                pkcs11.Attribute.LABEL: name,
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
            }
            (key,) = session.get_objects(wanted)
            assert key[pkcs11.Attribute.NEVER_EXTRACTABLE]
            assert key[pkcs11.Attribute.ALWAYS_SENSITIVE]

    Token(softhsm.place(key=label)).do(look)


def test_a_wrong_pin_is_said_by_its_setting(process: SignerProcess) -> None:
    # A login is the process's: it is ended so that the PIN is asked for.
    pkcs11.lib(softhsm.MODULE).reinitialize()
    process.environment["SIGNER_PKCS11_PIN"] = "0000"
    told = CliRunner().invoke(signer_command, ["--create"], env=process.environment)
    assert (told.exit_code, "refuses the PIN. Set SIGNER_PKCS11_PIN" in told.output) == (1, True), told.output
    assert not (process.folder / "keys.json").exists()
    incomplete = CliRunner().invoke(signer_command, env={**process.environment, "SIGNER_PKCS11_TOKEN": ""})
    assert isinstance(incomplete.exception, SettingsError)
    assert "SIGNER_PKCS11_MODULE needs" in str(incomplete.exception)
