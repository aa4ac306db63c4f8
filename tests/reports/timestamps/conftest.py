"""A real timestamp authority: `openssl ts` behind a small HTTP server, with a CA of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from portal.core.settings import Settings
from tests.fixtures_servers import required

CONFIGURATION = """\
[tsa]
default_tsa = made
[made]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.55555.1
digests = sha256, sha384, sha512
ordering = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[extensions]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
"""


@dataclass
class Authority:
    """Where it listens, and what it is told to answer: a timestamp, or one of the ways not to give one."""

    folder: Path
    url: str
    certificate: Path
    mood: str = "well"
    asked: list[bytes] = field(default_factory=list)

    def settings(self, home: Path, **more: str) -> Settings:
        return Settings.from_environment(
            {
                "COUNTERSIGN_HOME": str(home),
                "TIMESTAMP_URL": self.url,
                "TIMESTAMP_CERTIFICATE": str(self.certificate),
                "OUTGOING_NETWORKS": "127.0.0.0/8",
                **more,
            }
        )

    def answer(self, query: bytes) -> tuple[int, str, bytes]:
        self.asked.append(query)
        if self.mood == "broken":
            return 500, "text/plain", b"No."
        if self.mood == "nonsense":
            return 200, "application/timestamp-reply", b"0\x03\x02\x01\x00"
        if self.mood == "another question":
            query = self.asked[0]
        (self.folder / "query").write_bytes(query)
        openssl(self.folder, "ts", "-reply", "-config", "ts.conf", "-queryfile", "query", "-out", "reply")
        return 200, "application/timestamp-reply", (self.folder / "reply").read_bytes()


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([required("openssl"), *arguments], cwd=folder, check=True, capture_output=True)


def certify(folder: Path, name: str) -> None:
    """A CA, and the authority's key and certificate, which it issued."""
    (folder / "ts.conf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650",
            "-subj", f"/CN={name} CA", "-config", "ts.conf", "-extensions", "authority")  # fmt: skip
    openssl(folder, "req", "-new", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name}")
    openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "3650", "-extfile", "ts.conf", "-extensions", "extensions", "-out", "tsa.pem")  # fmt: skip


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("authority")
    certify(folder, "Stamps of tests")
    authority = Authority(folder, "", folder / "ca.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, content = authority.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsr"
    yield authority
    server.shutdown()
    server.server_close()
    thread.join(timeout=60)


@pytest.fixture
def authority(running: Authority) -> Authority:
    running.mood = "well"
    running.asked.clear()
    return running
