"""A witness of our own for the tests: a real server that follows C2SP tlog-witness, written without the portal's code.

It remembers the last head of each log, checks every signature and proof itself, and can be told to be anything but
honest.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DASH = "\u2014"


def raw(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name: str, kind: bytes, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:4]


@dataclass
class Witness:
    """One witness. `heads` is what it saw last, by the log's origin."""

    name: str = "witness.test/w1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    #: The logs that it knows, with their raw public keys.
    logs: dict[str, bytes] = field(default_factory=dict)
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    #: What it answers instead, whatever it is asked.
    instead: tuple[int, str, bytes] | None = None
    #: Changes what it would sign or answer.
    spoil: Callable[[bytes], bytes] = bytes
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    @property
    def vkey(self) -> str:
        material = raw(self.key)
        hashed = key_id(self.name, b"\x04", material).hex()
        encoded = base64.b64encode(b"\x04" + material).decode()
        return f"{self.name}+{hashed}+{encoded}"

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body. One request at a time: looking and remembering belong together."""
        with self.lock:
            self.asked.append(body.decode())
            return self.instead or self._answer(body.decode())

    def _answer(self, body: str) -> tuple[int, str, bytes]:
        plain = "text/plain; charset=utf-8"
        asked, _, note = body.partition("\n\n")
        lines = asked.split("\n")
        text, _, signatures = note.partition("\n\n")
        text += "\n"
        origin, size_line, root_line = text.split("\n")[:3]
        old, size, root = int(lines[0].removeprefix("old ")), int(size_line), base64.b64decode(root_line)
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
        if origin not in self.logs:
            return 404, plain, b"unknown log\n"
        if not self._signed(origin, text, signatures):
            return 403, plain, b"unknown key\n"
        if old > size or len(proof) > 63:
            return 400, plain, b"bad\n"
        seen, seen_root = self.heads.get(origin, (0, hashlib.sha256(b"").digest()))
        conflict = (409, "text/x.tlog.size", f"{seen}\n".encode())
        if old != seen or (old == size and root != seen_root):
            return conflict
        if not consistent(old, size, seen_root, root, proof):
            return 422, plain, b"the proof does not hold\n"
        self.heads[origin] = size, root
        return 200, plain, self.cosign(text)

    def _signed(self, origin: str, text: str, signatures: str) -> bool:
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            signature = base64.b64decode(encoded)
            if (dash, name) == (DASH, origin) and signature[:4] == key_id(origin, b"\x01", self.logs[origin]):
                try:
                    Ed25519PublicKey.from_public_bytes(self.logs[origin]).verify(signature[4:], text.encode())
                except InvalidSignature:
                    return False
                return True
        return False

    def cosign(self, text: str) -> bytes:
        """One signature line, spoilt as it was told."""
        seconds = int(self.clock())
        signature = self.key.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        timed = key_id(self.name, b"\x04", raw(self.key)) + seconds.to_bytes(8, "big") + signature
        line = f"{DASH} {self.name} {base64.b64encode(self.spoil(timed)).decode()}\n"
        stranger = f"{DASH} stranger.test {base64.b64encode(bytes(76)).decode()}\n"
        return (stranger + line).encode()


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    """RFC 6962 §2.1.2, read backwards: both roots are built from the proof."""
    if old == 0:
        return not proof
    left = list(proof)

    def walk(m: int, n: int, known: bool) -> tuple[bytes, bytes]:
        if m == n:
            return (old_root, old_root) if known else (left[0], left.pop(0))
        half = 1
        while half * 2 < n:
            half *= 2
        if m <= half:
            before, after = walk(m, half, known)
            return before, pair(after, left.pop(0))
        before, after = walk(m - half, n - half, False)
        sibling = left.pop(0)
        return pair(sibling, before), pair(sibling, after)

    try:
        return walk(old, new, True) == (old_root, new_root) and not left
    except IndexError:
        return False


def pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@contextmanager
def standing(witness: Witness) -> Iterator[Witness]:
    """The witness as a server on loopback, at `witness.url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path != "/w1/add-checkpoint":
                status, kind, content = 404, "text/plain", b"no such page\n"
            else:
                status, kind, content = witness.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    witness.url = f"http://127.0.0.1:{server.server_address[1]}/w1"
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
