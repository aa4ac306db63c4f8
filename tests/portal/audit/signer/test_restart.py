"""What the signer remembers outlives it; what it lost makes it refuse until an operator tells it where to begin."""

from __future__ import annotations

import base64

import pytest
from click.testing import CliRunner

from portal.audit.signer.cli import signer_command
from portal.audit.signer.process import own_settings, run
from portal.audit.signer.refusals import Unready
from portal.core.errors import SettingsError
from tests.portal.audit.signer.conftest import Log, SignerProcess


def test_a_signer_that_was_killed_knows_its_last_head_and_key(own: SignerProcess) -> None:
    own.start()
    log = Log()
    assert own.add(0, [], log.grow(7)).status == 200
    before = own.desk.state()
    own.kill()
    own.start()
    assert own.desk.state() == before
    forged = Log([b"x", *log.entries[1:]])
    assert own.add(7, forged.proof(7, 7), forged.head()).status == 409
    assert own.add(0, [], log.head()).text == "7\n"
    forged.grow(1)
    assert own.add(7, forged.proof(7), forged.head()).status == 422
    log.grow(2)
    assert own.add(7, log.proof(7), log.head()).status == 200
    assert own.stop() == 0
    assert not own.socket.exists()


@pytest.mark.parametrize("lost", ["head.note", "keys.json", "a changed head"])
def test_a_signer_that_lost_its_memory_refuses_until_it_is_told(own: SignerProcess, lost: str) -> None:
    own.start()
    log = Log()
    assert own.add(0, [], log.grow(7)).status == 200
    key = own.desk.state().verifiers
    if lost == "a changed head":
        head = own.folder / "head.note"
        head.write_text(head.read_text().replace("\n7\n", "\n6\n"))
    else:
        (own.folder / lost).unlink()
    answer = own.add(0, [], log.head())
    assert (answer.status, "countersign signer --adopt SIZE ROOT" in answer.text) == (503, True)
    with pytest.raises(Unready):
        own.desk.sign(7, [], log.head())

    root = base64.b64encode(log.head().root).decode()
    told = CliRunner().invoke(signer_command, ["--adopt", "7", root], env=own.environment)
    assert (told.exit_code, key[-1] in told.output) == (0, True), told.output
    assert own.add(0, [], log.head()).text == "7\n"
    log.grow(1)
    assert own.add(7, log.proof(7), log.head()).status == 200
    assert own.desk.state().verifiers == key


@pytest.mark.parametrize(
    ("size", "root"), [("x", "00" * 32), ("3", "00"), ("-1", "00" * 32), ("0", "00" * 32)]
)
def test_nonsense_is_not_adopted(own: SignerProcess, size: str, root: str) -> None:
    told = CliRunner().invoke(signer_command, ["--adopt", size, root], env=own.environment)
    assert told.exit_code in {1, 2}
    assert not (own.folder / "head.note").exists()


def test_two_signers_do_not_listen_at_one_socket_and_a_file_is_no_socket(
    running: SignerProcess, own: SignerProcess
) -> None:
    with pytest.raises(SettingsError, match="already listening"):
        run(*own_settings({**own.environment, "SIGNER_SOCKET": str(running.socket)}))
    own.socket.write_text("mine")
    with pytest.raises(SettingsError, match="is not a socket"):
        run(*own_settings(own.environment))
    assert own.socket.read_text() == "mine"
    with pytest.raises(SettingsError, match="SIGNER_SOCKET is longer"):
        own_settings({**own.environment, "SIGNER_SOCKET": "/" + "x" * 120})
    with pytest.raises(SettingsError, match="Set SIGNER_SOCKET"):
        run(
            *own_settings({name: value for name, value in own.environment.items() if name != "SIGNER_SOCKET"})
        )


def test_a_key_that_others_may_read_signs_nothing(own: SignerProcess) -> None:
    own.start()
    (own.folder / "ledger.pem").chmod(0o644)
    answer = own.add(0, [], Log().grow(1))
    assert (answer.status, "chmod 600" in answer.text) == (503, True)
    assert "chmod 600" in own.desk.state().trouble
    assert not (own.folder / "refused.json").exists()
