"""A signer as the process that it is, asked over its socket; and a log in memory whose heads it is to sign."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portal.audit.merkle import consistency_proof, leaf_hash, node_hash, root_hash
from portal.audit.notes import Head
from portal.audit.signer.asking import SocketDesk

ORIGIN = "portal.test/ledger"
LIMIT = 60.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {LIMIT:.0f} s"
        time.sleep(0.02)


@dataclass
class Log:
    """Entries, and what can be said of them."""

    entries: list[bytes] = field(default_factory=list)

    def grow(self, count: int) -> Head:
        self.entries += [f"entry {len(self.entries) + 1 + more}".encode() for more in range(count)]
        return self.head()

    def head(self, size: int | None = None) -> Head:
        size = len(self.entries) if size is None else size
        return Head(ORIGIN, size, root_hash(self._node, size))

    def proof(self, old: int, new: int | None = None) -> list[bytes]:
        return consistency_proof(self._node, old, len(self.entries) if new is None else new)

    def _node(self, level: int, position: int) -> bytes:
        if level == 0:
            return leaf_hash(self.entries[position])
        return node_hash(self._node(level - 1, 2 * position), self._node(level - 1, 2 * position + 1))


@dataclass(frozen=True)
class Answered:
    status: int
    kind: str
    text: str


class SignerProcess:
    """`python -m portal.audit.signer` in a folder of its own; its socket's path is short enough for a socket."""

    def __init__(self, **environment: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cs-sign-"))
        self.socket = self.home / "signer.sock"
        self.folder = self.home / "signer"
        self.environment = {
            "COUNTERSIGN_HOME": str(self.home),
            "SIGNER_SOCKET": str(self.socket),
            "PUBLIC_URL": "https://portal.test",
            **environment,
        }
        self.desk = SocketDesk(self.socket, self.home / "kept.json", seconds=LIMIT)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.audit.signer"],
            env={**os.environ, **self.environment},
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, "the signer listens")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answered:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
            opened.settimeout(LIMIT)
            opened.connect(str(self.socket))
            said = {"Content-Length": str(len(body)), **(headers or {})}
            lines = [
                f"{method} {path} HTTP/1.1",
                "Host: signer",
                *(f"{key}: {value}" for key, value in said.items() if value),
            ]
            opened.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            response = http.client.HTTPResponse(opened)
            response.begin()
            text = response.read().decode()
            return Answered(response.status, response.headers["Content-Type"], text)

    def add(self, old: int, proof: list[bytes], head: Head) -> Answered:
        return self.ask("POST", "/add-checkpoint", body_of(old, proof, head))

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "the signer ended by itself"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=LIMIT)
        self._process = None
        return code

    def clear(self) -> None:
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)


def body_of(old: int, proof: list[bytes], head: Head) -> bytes:
    """The request as the specification writes it, made without the product's own code."""
    lines = [
        f"old {old}",
        *(base64.b64encode(step).decode() for step in proof),
        "",
        head.origin,
        str(head.size),
    ]
    return "\n".join([*lines, base64.b64encode(head.root).decode(), ""]).encode()


@pytest.fixture(scope="session")
def running() -> Iterator[SignerProcess]:
    """One process for all tests that only ask it; its log grows from test to test."""
    process = SignerProcess()
    process.start()
    yield process
    process.clear()


@pytest.fixture(scope="session")
def log() -> Log:
    """The log of `running`."""
    return Log()


@pytest.fixture
def own() -> Iterator[SignerProcess]:
    """A process that a test may kill, in a folder that it may spoil; not started yet."""
    process = SignerProcess()
    yield process
    process.clear()
