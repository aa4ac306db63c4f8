"""A real OpenSSH server that trusts the authority: in during the time, out after it, out at once when taken back."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
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
    """An sshd on loopback, and a client's key. The authority's clock can be set back, the sshd's is the machine's."""

    folder: Path
    port: int
    connector: SshConnector
    back: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) - self.back

    def order(self, **changes: object) -> Order:
        """For an hour from when it is granted, unless told otherwise."""
        parameters = {"public_key": (self.folder / "id.pub").read_text(), "principals": ["crm-admin"]}
        lasts = changes.pop("lasts", timedelta(hours=1))
        ends_at = changes.pop("ends_at", self.now() + timedelta(hours=1))
        return Order("SR-000007", "sign", parameters | changes, DANIEL, ends_at=ends_at, lasts=lasts)

    def says(self, words: str) -> bool:
        """Whether the sshd says so; it writes its log a moment after it has answered."""
        wait_until(lambda: words in self._log(), f"sshd says: {words}", 60)
        return True

    def _log(self) -> str:
        return (self.folder / "sshd.log").read_text(errors="replace")

    def forwards(self) -> bool:
        """Whether a way through the server to another port of it is opened."""
        answer = self._ssh("-W", f"127.0.0.1:{self.port}")
        assert "administratively prohibited" in answer.stderr or answer.stdout.startswith("SSH-"), answer
        return answer.stdout.startswith("SSH-")

    def sign(self, **changes: object):
        """Carry an order out and lay the certificate beside the key, as a person would."""
        plan = self.connector.plan(self.order(**changes))
        outcome = self.connector.apply(plan, f"{KEY}{plan.effect}")
        (self.folder / "id-cert.pub").write_bytes(outcome.artefacts["id-cert.pub"])
        return plan

    def signs_in(self, command: str = "echo in") -> str:
        """What the session says, or nothing when it was refused."""
        answer = self._ssh(command)
        if answer.returncode == 255:
            assert "Permission denied" in answer.stderr, answer.stderr
            return ""
        return answer.stdout.strip()

    def _ssh(self, *what: str) -> subprocess.CompletedProcess[str]:
        options = ["-W", what[1]] if what[0] == "-W" else []
        return subprocess.run(
            [
                "ssh", "-F", "none", "-i", self.folder / "id", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "StrictHostKeyChecking=accept-new",
                "-p", str(self.port), *options, f"{getpass.getuser()}@127.0.0.1", *([] if options else what),
            ],
            check=False, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def server():
    # sshd refuses keys under folders that others may write.
    folder = Path(tempfile.mkdtemp(prefix="cs-ssh-"))
    server = Server(folder, free_port(), None)
    authority = SshAuthority(folder / "authority", now=server.now)
    authority.create_if_missing()
    server.connector = SshConnector(authority, ("crm-admin", "deploy"))
    for name in ("id", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "principals").write_text("crm-admin\n")
    port = server.port
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"TrustedUserCAKeys {authority.public_file}\nRevokedKeys {authority.krl_file}\n"
        f"AuthorizedPrincipalsFile {folder}/principals\nAuthorizedKeysFile none\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    # Verbose, so that it says why it refuses.
    process = subprocess.Popen(
        dying_with_us(
            [required("sshd"), "-D", "-E", f"{folder}/sshd.log", "-o", "LogLevel=VERBOSE", "-f", str(config)]
        )
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
        return False

    wait_until(answers, "sshd answers")
    yield server
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


def test_a_session_works_during_the_hour_and_is_refused_once_the_certificate_is_taken_back(server):
    assert server.signs_in() == ""
    plan = server.sign()
    assert server.signs_in() == "in"
    assert server.says(f'ID "SR-000007 {DANIEL.user_name}"')
    server.connector.revert(plan, f"{KEY}{plan.effect}")
    assert server.signs_in() == ""
    assert server.says("revoked")
    assert not server.connector.read_back(plan, f"{KEY}{plan.effect}").present


def test_a_session_is_refused_after_the_hour(server):
    server.back = timedelta(minutes=59)
    server.sign()
    assert server.signs_in() == "in"
    server.back = timedelta(minutes=61)
    plan = server.sign(forced_command="echo in the hour before")
    assert server.signs_in() == ""
    assert server.says("Certificate invalid: expired")
    server.back = timedelta()
    assert not server.connector.read_back(plan, f"{KEY}{plan.effect}").present


def test_a_certificate_that_let_somebody_in_lets_nobody_in_after_its_time(server):
    # How long a sign-in takes depends on the machine: the time is made longer until one falls into it.
    for seconds in (2, 10, 60):
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        server.sign(ends_at=end, lasts=None)
        if server.signs_in() == "in":
            break
    else:
        pytest.fail("no sign-in came into its time")
    # sshd compares whole seconds: the last one is not over before the next has begun.
    wait_until(lambda: datetime.now(UTC) > end + timedelta(seconds=1), "the time is over")
    assert server.signs_in() == ""
    assert server.says("Certificate invalid: expired")
    assert list(server.connector.live()) == []


def test_only_the_approved_account_works(server):
    server.sign(principals=["deploy"])
    assert server.signs_in() == ""
    assert server.says("does not contain an authorized principal")


def test_only_the_approved_addresses_work(server):
    server.sign(source_addresses=["203.0.113.0/24", "2001:db8::/32"])
    assert server.signs_in() == ""
    assert server.says("not from a permitted source address")
    server.sign(source_addresses=["127.0.0.0/8"])
    assert server.signs_in() == "in"


def test_only_the_approved_command_runs_whatever_is_asked_for(server):
    server.sign(forced_command="echo only this")
    for asked in ("echo something else", "sh -c 'echo something else'", "/bin/sh"):
        assert server.signs_in(asked) == "only this"
    # Nor is anything passed on: a certificate for a command opens no way through the server.
    assert server.forwards() is False


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
