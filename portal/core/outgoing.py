"""Outgoing HTTP for the whole product: to listed hosts only, at the very address that was judged, within limits.

No redirects, no proxies and no cookies; the time limit holds for a call as a whole, resolving and every byte
included, and an answer is read to a given size only. An address that a user typed never comes here.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from portal.core.destinations import Destinations, Origin, OutgoingRefused

#: Seconds that one call may take, and bytes that an answer may have.
SECONDS = 10.0
LARGEST_ANSWER = 1024 * 1024

#: Gives the addresses of a name, as text. Raises OSError when there are none.
Resolve = Callable[[str, int], Sequence[str]]


class OutgoingFailed(Exception):
    """No whole answer came in time; it may another time. The message is a sentence for the operators."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of the name, in the system's order, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def trust() -> ssl.SSLContext:
    """The system's trust store; loading it takes about 20 ms, so it is done once."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Calls what `destinations` list. `seconds` and `largest` (bytes) are the limits of each call."""

    destinations: Destinations
    seconds: float = SECONDS
    largest: int = LARGEST_ANSWER
    resolve: Resolve = resolve
    trust: Callable[[], ssl.SSLContext] = trust

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """One request and its whole answer; a redirect is an answer like any other.

        Raises OutgoingRefused where the rules forbid it, and OutgoingFailed where no whole answer came in time.
        """
        origin = self.destinations.check(url)
        deadline = _Deadline(self.seconds)
        backend = _Backend(self.destinations, origin, self.resolve, deadline)
        sent = {"Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
        with (
            _told(origin, self.seconds),
            httpx.Client(
                transport=_Transport(backend, self.trust() if origin.scheme == "https" else None),
                follow_redirects=False,
                trust_env=False,
                timeout=self.seconds,
            ) as client,
            client.stream(method, url, headers=sent, content=content) as response,
        ):
            encoding = response.headers.get("content-encoding", "identity")
            if encoding != "identity":
                # Unpacking is where a small answer becomes a large one.
                message = f"{origin} answered packed ({encoding[:40]}), though it was asked not to."
                raise OutgoingFailed(message)
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > self.largest:
                    message = f"{origin} answered with more than {self.largest} bytes."
                    raise OutgoingFailed(message)
            return Answer(response.status_code, dict(response.headers), bytes(body))


class _Deadline:
    """The time that one call has, all in all."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left. Raises httpcore.TimeoutException when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            message = "the time is used up"
            raise httpcore.TimeoutException(message)
        return left


class _Backend(httpcore.NetworkBackend):
    """Resolves once, judges every address, and connects to one of those."""

    def __init__(
        self, destinations: Destinations, origin: Origin, resolve: Resolve, deadline: _Deadline
    ) -> None:
        self._destinations = destinations
        self._origin = origin
        self._resolve = resolve
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to an address of the host that may be connected to."""
        if (host, port) != (self._origin.host, self._origin.port):
            # The library reads the address in another way than we did.
            message = f"{host}:{port} is not what was allowed, {self._origin}."
            raise OutgoingRefused(message)
        # If one of them may not be connected to, none is: such a name is not to be trusted.
        judged = [
            str(self._destinations.check_address(self._origin, text)) for text in self._addresses(host, port)
        ]
        trouble: Exception = httpcore.ConnectError("the name has no address")
        for number, address in enumerate(judged):
            # One that does not answer leaves time for the others.
            seconds = self._deadline.left() / (len(judged) - number)
            try:
                stream = self._plain.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
            else:
                return _Stream(stream, self._deadline)
        raise trouble

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        """What the name resolves to, within the call's time: the system's resolver has no limit of its own."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError(str(error)))

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline.left())
        except queue.Empty:
            message = "the name was not resolved in time"
            raise httpcore.ConnectTimeout(message) from None
        if isinstance(answer, OSError):
            message = f"the name cannot be resolved: {answer.strerror or answer}"
            raise httpcore.ConnectError(message)
        return answer


class _Stream(httpcore.NetworkStream):
    """A stream whose every read and write has what is left of the call's time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to so many bytes."""
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of them."""
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        """End it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same stream under TLS; the certificate is checked for the name, not for the address."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the library asks of the socket."""
        return self._stream.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    """The rest of an answer as it comes."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    def close(self) -> None:
        """Let the connection go."""
        self._parts.close()


class _Transport(httpx.BaseTransport):
    """httpx over our own network backend; a pool for one call, so that no connection is used for another."""

    def __init__(self, backend: _Backend, context: ssl.SSLContext | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=backend, max_keepalive_connections=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        """Let every connection go."""
        self._pool.close()


@contextmanager
def _told(origin: Origin, seconds: float) -> Iterator[None]:
    try:
        yield
    except (httpcore.TimeoutException, httpx.TimeoutException) as error:
        message = f"{origin} did not answer within {seconds:g} seconds."
        raise OutgoingFailed(message) from error
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpx.HTTPError,
        httpx.InvalidURL,
        ssl.SSLError,
    ) as error:
        message = f"{origin} could not be called: {str(error) or type(error).__name__}."
        raise OutgoingFailed(message) from error
