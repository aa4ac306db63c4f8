"""How it is seen that a part is up."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from pathlib import Path

from portal.supervisor.ports import HOST

PROBE_SECONDS = 2.0


def answers_http(port: int, path: str) -> Callable[[], bool]:
    """Whether a GET is answered with anything but a server's error."""

    def probe() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def accepts(port: int) -> Callable[[], bool]:
    """Whether a TCP connection is taken."""

    def probe() -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=PROBE_SECONDS):
                return True
        except OSError:
            return False

    return probe


def answers_redis(path: Path) -> Callable[[], bool]:
    """Whether a Redis on this socket answers a PING."""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PROBE_SECONDS)
            try:
                connection.connect(str(path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    return probe


def listens(path: Path) -> Callable[[], bool]:
    """Whether a connection to this unix socket is taken."""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PROBE_SECONDS)
            try:
                connection.connect(str(path))
            except OSError:
                return False
            return True

    return probe


def exists(file: Path) -> Callable[[], bool]:
    """Whether the part has written its file."""
    return file.exists
