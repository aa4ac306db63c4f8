"""`countersign signer`: the signer as a process of its own, which alone holds the key and listens on a unix socket.

Who may open the socket may have heads signed: its rights are 0660, so that the signer's account and the portal's
share a group and nothing else. Requests are answered one at a time; one that is slow to come does not hold up others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from portal.audit.signer.answering import TEXT_TYPE, Answer, answer
from portal.audit.signer.notary import Notary
from portal.audit.signer.protocol import LARGEST_REQUEST
from portal.core.errors import SettingsError

log = logging.getLogger(__name__)

#: Seconds in which a request must have come and its answer must have been taken.
SECONDS = 10.0
MOST_AT_ONCE = 32
SOCKET_RIGHTS = 0o660


@contextmanager
def listening(path: Path, notary: Notary, *, seconds: float = SECONDS) -> Iterator[socketserver.BaseServer]:
    """A server at the socket; the caller runs `serve_forever`. Raises SettingsError when it cannot listen there."""
    _make_room(path)
    handler = type(
        "Handler", (_Handler,), {"notary": notary, "one_at_a_time": threading.Lock(), "seconds": seconds}
    )
    before = os.umask(0o777 ^ SOCKET_RIGHTS)
    try:
        server = _Server(str(path), handler)
    except OSError as error:
        message = f"The signer cannot listen at {path}: {error.strerror or error}."
        raise SettingsError(message) from error
    finally:
        os.umask(before)
    try:
        yield server
    finally:
        server.server_close()
        path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: str, handler: Any) -> None:
        self._seats = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(path, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        # More than these wait in the kernel's queue; each that sits here is sent away after its seconds.
        self._seats.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is no error of ours.
        log.info("A request was not answered")


class _Handler(BaseHTTPRequestHandler):
    notary: Notary
    one_at_a_time: threading.Lock
    seconds: float
    server_version = "countersign-signer"
    sys_version = ""
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        # A limit on the whole, which a limit on each read is not.
        self._end = threading.Timer(self.seconds, self._hang_up)
        self._end.daemon = True
        self._end.start()

    def finish(self) -> None:
        self._end.cancel()
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            self._send(Answer(HTTPStatus.LENGTH_REQUIRED, TEXT_TYPE, b"Say how long the request is.\n"))
        elif int(length) > LARGEST_REQUEST:
            told = f"A request has at most {LARGEST_REQUEST} bytes.\n".encode()
            self._send(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TEXT_TYPE, told))
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._answer(body)

    def _answer(self, body: bytes) -> None:
        with self.one_at_a_time:
            try:
                given = answer(self.notary, self.command, self.path, body)
            except Exception:
                log.exception("The signer failed")
                told = b"The signer failed; its log says how.\n"
                given = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT_TYPE, told)
        if given.status is not HTTPStatus.OK:
            log.warning("%s %s: %s %s", self.command, self.path, given.status, given.body.decode().strip())
        self._send(given)

    def _send(self, given: Answer) -> None:
        self.send_response(given.status)
        self.send_header("Content-Type", given.kind)
        self.send_header("Content-Length", str(len(given.body)))
        self.end_headers()
        self.wfile.write(given.body)

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class calls it so)
        """Each request is not worth a line; what was refused has its own."""


def _make_room(path: Path) -> None:
    """Take away a socket that a killed signer left. Raises SettingsError when one listens there."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            message = f"{path} is not a socket; choose another path with SIGNER_SOCKET."
            raise SettingsError(message)
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    message = f"A signer is already listening at {path}."
    raise SettingsError(message)
