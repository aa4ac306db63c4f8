"""Outgoing HTTP: to listed hosts at judged addresses only, within limits; what attackers try instead is refused."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from portal.core.destinations import Destinations, OutgoingRefused
from portal.core.errors import SettingsError
from portal.core.outgoing import Outgoing, OutgoingFailed

HOST = "soar.meridian.example"


@dataclass
class Tool:
    """A real server on loopback and what it was asked. `answer` writes its next answers."""

    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    goes_on: threading.Event = field(default_factory=threading.Event)
    drips: bool = False


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Tool]:
    tool = Tool()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = getattr(self.connection, "server_name_asked", "")
            tool.asked.append((self.path, self.headers["Host"], name))
            self.close_connection = True
            if tool.drips:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not tool.goes_on.wait(0.05):
                    self.wfile.write(b"x")
                return
            self.wfile.write(tool.answer)

        do_POST = do_GET  # noqa: N815  (the library's name)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away in the middle is part of these tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    tool.port = server.server_port
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield tool
    finally:
        tool.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Names:
    """A name server that gives one answer after the other, the last one for ever."""

    answers: list[Sequence[str]]
    asked: int = 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def to(tool: Tool, *answers: Sequence[str], networks: Sequence[str] = ("127.0.0.1/32",)) -> Outgoing:
    """One that may call the tool under its name."""
    places = Destinations.listed([f"http://{HOST}:{tool.port}"], networks)
    return Outgoing(places, seconds=30, resolve=Names(list(answers) or [["127.0.0.1"]]))


@pytest.fixture(scope="module")
def shared() -> Iterator[Tool]:
    with serving() as tool:
        yield tool


@pytest.fixture
def tool(shared: Tool) -> Tool:
    shared.asked.clear()
    shared.answer, shared.drips = Tool.answer, False
    return shared


def test_a_listed_host_is_called_by_its_name_at_the_address_it_has(tool: Tool) -> None:
    answer = to(tool).call("GET", f"http://{HOST}:{tool.port}/hook?a=1")
    assert (answer.status, answer.content) == (200, b"ok")
    assert tool.asked == [("/hook?a=1", f"{HOST}:{tool.port}", "")]


#: Each was let through by some check of some product: they name what is inside, or hide it.
PAYLOADS = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1.:{port}/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25lo]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "http://{host}:{port}@127.0.0.1/",
    "http://127.0.0.1@{host}:{port}/",
    "http://user:word@{host}:{port}/",
    "http://{host}:{port}\\@127.0.0.1/",
    "http://127.0.0.1\\@{host}:{port}/",
    "http://{host}:{port}#@127.0.0.1/",
    "http://{host}:{port} @127.0.0.1/",
    "http://{host}:{port}/\r\nX: y",
    "http://{host}.:{port}/",
    "http://{host}.evil.test:{port}/",
    "http://evil.test/{host}:{port}/",
    "http://{upper}:{port}/",
    "http://soar%2emeridian.example:{port}/",
    "http://ｓoar.meridian.example:{port}/",  # noqa: RUF001  (the point)
    "http://soar。meridian.example:{port}/",
    "http://①②⑦.⓪.⓪.①/",
    "http://xn--soar-.meridian.example:{port}/",
    "http://s\u00f6ar.meridian.example:{port}/",
    "https://{host}:{port}/",
    "http://{host}/",
    "http://{host}:0{port}/",
    "http://{host}:99999/",
    "http:{host}:{port}/",
    "http:/{host}:{port}/",
    "http:///{host}:{port}/",
    "//{host}:{port}/",
    "HTTP://{host}:{port}/",
    " http://{host}:{port}/",
    "file:///etc/passwd",
    "gopher://{host}:{port}/",
    "ftp://{host}/",
    "unix:/run/docker.sock",
    "",
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=repr)
def test_an_address_that_is_not_listed_in_its_one_spelling_is_refused_before_a_name_is_resolved(
    tool: Tool, payload: str
) -> None:
    outgoing = to(tool, networks=("127.0.0.0/8",))
    with pytest.raises(OutgoingRefused) as refused:
        outgoing.call("GET", payload.format(host=HOST, upper=HOST.upper(), port=tool.port))
    assert str(refused.value).endswith(".")
    assert tool.asked == []
    assert outgoing.resolve.asked == 0


@pytest.mark.parametrize(
    "inside",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "192.0.0.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::808:808", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001::1", "fe80::1", "fe80::1%lo"),
        *("fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "not an address"),
    ],
)
def test_a_listed_name_that_leads_inside_is_refused(tool: Tool, inside: str) -> None:
    with pytest.raises(OutgoingRefused, match=f"^http://{HOST}:{tool.port} leads to "):
        to(tool, [inside], networks=()).call("GET", f"http://{HOST}:{tool.port}/")
    assert tool.asked == []


def test_one_address_inside_among_public_ones_is_enough_to_refuse(tool: Tool) -> None:
    with pytest.raises(OutgoingRefused):
        to(tool, ["8.8.8.8", "127.0.0.2"]).call("GET", f"http://{HOST}:{tool.port}/")


def test_a_listed_network_lets_in_what_is_written_plainly_and_nothing_beside(tool: Tool) -> None:
    url = f"http://{HOST}:{tool.port}/"
    with pytest.raises(OutgoingRefused):
        to(tool, ["127.0.0.2"]).call("GET", url)
    with pytest.raises(OutgoingRefused):
        to(tool, ["::ffff:127.0.0.1"]).call("GET", url)
    with pytest.raises(OutgoingRefused):
        to(tool, ["64:ff9b::7f00:1"], networks=("64:ff9b::/96",)).call("GET", url)
    origin = to(tool).destinations.check(url)
    nat64 = Destinations.listed([], ["64:ff9b::/96"])
    assert str(nat64.check_address(origin, "64:ff9b::808:808")) == "64:ff9b::808:808"


def test_a_name_is_resolved_once_and_a_second_answer_changes_nothing(tool: Tool) -> None:
    outgoing = to(tool, ["127.0.0.1"], ["127.0.0.2"])
    assert outgoing.call("GET", f"http://{HOST}:{tool.port}/").status == 200
    assert outgoing.resolve.asked == 1
    with pytest.raises(OutgoingRefused):
        outgoing.call("GET", f"http://{HOST}:{tool.port}/")
    assert len(tool.asked) == 1


def test_an_address_that_does_not_answer_leaves_the_next_its_turn(tool: Tool) -> None:
    outgoing = to(tool, ["::1", "127.0.0.1"], networks=("127.0.0.1/32", "::1/128"))
    assert outgoing.call("GET", f"http://{HOST}:{tool.port}/").status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(tool: Tool, status: int) -> None:
    place = "http://169.254.169.254/latest/meta-data/"
    tool.answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    answer = to(tool).call("POST", f"http://{HOST}:{tool.port}/", content=b"{}")
    assert (answer.status, answer.headers["location"]) == (status, place)
    assert len(tool.asked) == 1


def test_an_answer_that_is_too_large_packed_or_no_http_is_not_taken(tool: Tool) -> None:
    url = f"http://{HOST}:{tool.port}/"
    small = replace(to(tool), largest=1000)
    tool.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001
    with pytest.raises(OutgoingFailed, match="more than 1000 bytes"):
        small.call("GET", url)
    tool.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000
    with pytest.raises(OutgoingFailed, match="more than 1000 bytes"):
        small.call("GET", url)
    tool.answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"
    with pytest.raises(OutgoingFailed, match="packed"):
        small.call("GET", url)
    tool.answer = b"SSH-2.0-OpenSSH\r\n"
    with pytest.raises(OutgoingFailed, match="could not be called"):
        small.call("GET", url)


def test_an_answer_that_drips_is_given_up_when_the_time_of_the_whole_call_is_over(tool: Tool) -> None:
    tool.drips = True
    with pytest.raises(OutgoingFailed, match=r"within 0\.5 seconds"):
        replace(to(tool), seconds=0.5).call("GET", f"http://{HOST}:{tool.port}/")
    tool.goes_on.set()


def test_a_name_server_that_does_not_answer_is_not_waited_for(tool: Tool) -> None:
    waiting = threading.Event()

    def never(_host: str, _port: int) -> Sequence[str]:
        waiting.wait()
        return []

    with pytest.raises(OutgoingFailed, match=r"within 0\.2 seconds"):
        replace(to(tool), seconds=0.2, resolve=never).call("GET", f"http://{HOST}:{tool.port}/")
    waiting.set()


def test_the_environments_proxies_are_not_asked(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert to(tool).call("GET", f"http://{HOST}:{tool.port}/").status == 200


def test_what_cannot_be_listed_is_told_when_the_portal_starts() -> None:
    for host in ("*.meridian.example", "https://a@b", "soar_1", "2130706433", "https://h/path", "h?", ""):
        with pytest.raises(SettingsError, match="cannot be listed"):
            Destinations.listed([host])
    with pytest.raises(SettingsError, match=r"10\.0\.0\.1/8"):
        Destinations.listed([], ["10.0.0.1/8"])


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for this name, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / f"{name}.pem"
    file.write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)

    def remember(connection: ssl.SSLSocket, asked: str, _context: ssl.SSLContext) -> None:
        connection.server_name_asked = asked  # type: ignore[attr-defined]

    server.sni_callback = remember
    return server, ssl.create_default_context(cadata=pem.decode())


def test_tls_is_checked_for_the_name_though_the_address_is_what_is_connected_to(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, HOST)
    with serving(server) as tool:
        places = Destinations.listed([f"{HOST}:{tool.port}"], ["127.0.0.1/32"])
        outgoing = Outgoing(places, seconds=30, resolve=lambda *_: ["127.0.0.1"], trust=lambda: trusting)
        assert outgoing.call("GET", f"https://{HOST}:{tool.port}/").status == 200
        assert tool.asked == [("/", f"{HOST}:{tool.port}", HOST)]
        other = Destinations.listed([f"evil.test:{tool.port}"], ["127.0.0.1/32"])
        with pytest.raises(OutgoingFailed, match="certificate verify failed"):
            replace(outgoing, destinations=other).call("GET", f"https://evil.test:{tool.port}/")
        with pytest.raises(OutgoingFailed, match="certificate verify failed"):
            replace(outgoing, trust=ssl.create_default_context).call("GET", f"https://{HOST}:{tool.port}/")
        assert len(tool.asked) == 1
