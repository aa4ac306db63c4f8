"""Pushing over ssh to a real sshd: with the key that the settings name, and to a host that is known."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.remote import Remote
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits
from tests.fixtures_servers import dying_with_us, required, wait_until
from tests.fixtures_site import free_port


@pytest.fixture
def served() -> Iterator[tuple[Path, str]]:
    """A folder with an empty bare repository, keys, and the address of the repository by ssh."""
    # sshd refuses keys under folders that others may write.
    folder, port = Path(tempfile.mkdtemp(prefix="cs-push-")), free_port()
    for name in ("id", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder / "remote.git"], check=True)
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "unknown").touch()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/id.pub\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    process = subprocess.Popen(
        dying_with_us([required("sshd"), "-D", "-e", "-f", str(folder / "config")]), stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
        return False

    try:
        wait_until(answers, "sshd answers", 60)
        yield folder, f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/remote.git"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_change_is_pushed_by_ssh_and_only_to_a_host_that_is_known(repository, clock, served):
    folder, url = served
    pushing = FirewallConnector(
        repository, clock=clock, remote=Remote(url, str(folder / "id"), str(folder / "known"))
    )
    plan = pushing.plan(allow())
    pushing.apply(plan, "k")
    assert pushing.read_back(plan, "k").present
    assert commits(folder / "remote.git")[0] == "SR-000123: allow TCP 443 from office to dmz"
    strange = Remote(url, str(folder / "id"), str(folder / "unknown"))
    with pytest.raises(ConnectorError, match="Host key verification failed") as refusal:
        FirewallConnector(repository, clock=clock, remote=strange).plan(allow())
    assert not refusal.value.permanent
