"""A real OpenSSH server that trusts the authority: in during the time, out after it, out at once when taken back."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.ssh import SshAuthority, SshConnector
from tests.fixtures_servers import dying_with_us, required, wait_until
from tests.fixtures_site import free_port

KEY = "SR-000007/1/sha256:5ea1"
DANIEL = Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example")


@dataclass
class Server:
    """An sshd on loopback, and a client's key."""

    folder: Path
    port: int
    connector: SshConnector

    def order(self, **changes: object) -> Order:
        parameters = {"public_key": (self.folder / "id.pub").read_text(), "principals": ["crm-admin"]}
        ends_at = changes.pop("ends_at", datetime.now(UTC) + timedelta(hours=1))
        return Order("SR-000007", "sign", parameters | changes, DANIEL, ends_at=ends_at)

    def sign(self, **changes: object):
        """Carry an order out and lay the certificate beside the key, as a person would."""
        plan = self.connector.plan(self.order(**changes))
        outcome = self.connector.apply(plan, f"{KEY}{plan.effect}")
        (self.folder / "id-cert.pub").write_bytes(outcome.artefacts["id-cert.pub"])
        return plan

    def signs_in(self, command: str = "echo in") -> str:
        """What the session says, or nothing when it was refused."""
        answer = subprocess.run(
            [
                "ssh", "-F", "none", "-i", self.folder / "id", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=accept-new",
                "-p", str(self.port), f"{getpass.getuser()}@127.0.0.1", command,
            ],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if answer.returncode == 255:
            assert "Permission denied" in answer.stderr, answer.stderr
            return ""
        return answer.stdout.strip()


@pytest.fixture
def server():
    # sshd refuses keys under folders that others may write.
    folder = Path(tempfile.mkdtemp(prefix="cs-ssh-"))
    authority = SshAuthority(folder / "authority")
    authority.create_if_missing()
    for name in ("id", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "principals").write_text("crm-admin\n")
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"TrustedUserCAKeys {authority.public_file}\nRevokedKeys {authority.krl_file}\n"
        f"AuthorizedPrincipalsFile {folder}/principals\nAuthorizedKeysFile none\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen(
        dying_with_us([required("sshd"), "-D", "-e", "-f", str(config)]), stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
        return False

    wait_until(answers, "sshd answers")
    yield Server(folder, port, SshConnector(authority, ("crm-admin", "deploy")))
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


def test_a_session_works_during_the_time_and_is_refused_once_the_certificate_is_taken_back(server):
    assert server.signs_in() == ""
    plan = server.sign()
    assert server.signs_in() == "in"
    server.connector.revert(plan, f"{KEY}{plan.effect}")
    assert server.signs_in() == ""
    assert not server.connector.read_back(plan, f"{KEY}{plan.effect}").present


def test_a_session_is_refused_after_the_time(server):
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    server.sign(ends_at=end)
    assert server.signs_in() == "in"
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 1.1)
    assert server.signs_in() == ""
    assert list(server.connector.live()) == []


def test_only_the_approved_account_address_and_command_work(server):
    server.sign(principals=["deploy"])
    assert server.signs_in() == ""
    server.sign(source_addresses=["203.0.113.0/24"])
    assert server.signs_in() == ""
    server.sign(source_addresses=["127.0.0.0/8"], forced_command="echo only this")
    assert server.signs_in("echo something else") == "only this"


def test_taking_one_back_leaves_the_others(server):
    first = server.sign(forced_command="echo first")
    server.sign(forced_command="echo second")
    server.connector.revert(first, f"{KEY}{first.effect}")
    assert server.signs_in() == "second"
    listed = subprocess.run(
        [
            "ssh-keygen",
            "-Q",
            "-f",
            server.folder / "authority" / "revoked.krl",
            server.folder / "id-cert.pub",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ok" in listed.stdout
