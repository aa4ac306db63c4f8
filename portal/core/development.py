"""What the development-only servers share: they refuse to run anywhere else, and speak on loopback only."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from portal.core.errors import SettingsError

#: Seconds after which a connection that sends nothing is dropped.
IDLE_SECONDS = 30


def require_development(what: str, environ: Mapping[str, str] | None = None) -> None:
    """Raise SettingsError unless the environment says, in so many words, that this is a development machine."""
    env = os.environ if environ is None else environ
    value = env.get("COUNTERSIGN_ENVIRONMENT")
    if value != "development":
        said = f"COUNTERSIGN_ENVIRONMENT is {value!r}" if value else "COUNTERSIGN_ENVIRONMENT is not set"
        message = f"The {what} is for trying things out and does not start here: {said}, and it must be development."
        raise SettingsError(message)


def require_loopback(what: str, host: str) -> None:
    """Raise SettingsError unless `host` is this machine's loopback, which no other machine can reach."""
    if not is_loopback(host):
        message = f"The {what} answers on loopback only: {host} must be 127.0.0.1, ::1 or localhost."
        raise SettingsError(message)


def is_loopback(host: str) -> bool:
    """Whether the name or address is loopback; any other name counts as not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen_on_loopback(what: str, host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises SettingsError when the port is in use."""
    require_loopback(what, host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        message = f"The {what} cannot listen on port {port}: {error.strerror}. Stop what uses it, or choose another."
        raise SettingsError(message) from error
    return listener


class LoopbackServer(ThreadingMixIn, WSGIServer):
    """A WSGI server with one thread a connection, for the development pages only."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, application: Any) -> None:
        address = listener.getsockname()[:2]
        super().__init__(address, _QuietHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = address
        # Not HTTPServer's way: it asks the resolver for the host's full name, which can take seconds.
        self.server_name, self.server_port = str(address[0]), int(address[1])
        self.setup_environ()
        self.set_app(application)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that hangs up early is no error of ours."""


class _QuietHandler(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Write no line per request: the addresses hold codes and tokens."""


@contextlib.contextmanager
def serving(listener: socket.socket, application: Any) -> Iterator[LoopbackServer]:
    """Serve the application in a thread until the block ends."""
    server = LoopbackServer(listener, application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.03}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def wait_for_stop(on_ready: Callable[[], None]) -> None:
    """Call `on_ready`, then block until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    on_ready()
    stop.wait()
