"""Debian's pebble, an authority that speaks ACME, with a name server of its own: one for all tests of this process.

It validates for real. Every name leads to 127.0.0.1, where the portal's own view answers http-01; records for dns-01
are set by a program, as an operator's would.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from wsgiref.simple_server import make_server

from flask import Flask

from catalog.fulfilment.connectors.acme.place import AcmePlace
from catalog.fulfilment.connectors.acme.views import blueprint
from portal.demo_targets.scim import LoopbackServer, QuietHandler
from tests.catalog.fulfilment.connectors.own_ca import write_certificates
from tests.fixtures_servers import dying_with_us, required, wait_until

KID, KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
HOOK = """#!{python}
import json, sys, urllib.request
verb, name, value = sys.argv[1:]
path, content = {{"present": ("set-txt", {{"value": value}}), "clean": ("clear-txt", {{}})}}[verb]
body = json.dumps({{"host": name + ".", **content}}).encode()
urllib.request.urlopen("http://127.0.0.1:{port}/" + path, body, timeout=30).read()
"""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody has now, each another."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(number)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


@dataclass
class Pebble:
    """The authority; what it holds is gone when it stops."""

    folder: Path
    http_port: int
    binding: bool = False
    ports: list[int] = field(default_factory=lambda: free_ports(5))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def place(self, folder: Path, **changes: object) -> AcmePlace:
        """Where it is, for an account in this folder; the portal's view looks there for challenges from now on."""
        answers = self.folder / "challenges"
        answers.unlink(missing_ok=True)
        answers.symlink_to(folder / "challenges")
        settings: dict[str, object] = {
            "directory": f"https://127.0.0.1:{self.ports[0]}/dir",
            "folder": folder,
            "ca_file": str(self.folder / "ca.pem"),
            "timeout": 5.0,
            "patience": 60.0,
        }
        return AcmePlace(**settings | changes)  # type: ignore[arg-type]

    @property
    def hook(self) -> str:
        """A program for dns-01."""
        return str(self.folder / "hook")

    def start(self) -> None:
        """Start both and wait until they answer."""
        acme, management, dns, records, tls = self.ports
        (self.folder / "hook").write_text(HOOK.format(python=sys.executable, port=records))
        (self.folder / "hook").chmod(0o700)
        config = {
            "listenAddress": f"127.0.0.1:{acme}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(self.folder / "server.pem"),
            "privateKey": str(self.folder / "server.key"),
            "httpPort": self.http_port,
            "tlsPort": tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": self.binding,
            "externalAccountMACKeys": {KID: KEY} if self.binding else {},
        }
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        names = [
            required("pebble-challtestsrv"),
            *("-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{records}", "-defaultIPv6", ""),
            *("-http01", "", "-https01", "", "-tlsalpn01", ""),
        ]
        authority = [required("pebble"), "-config", str(self.folder / "pebble.json")]
        self._run(names, "names.log")
        self._run([*authority, "-dnsserver", f"127.0.0.1:{dns}"], "pebble.log")
        wait_until(lambda: self._answers(acme) and self._answers(records), "pebble answers")

    def stop(self) -> None:
        """End it at once."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def issued(self) -> list[str]:
        """The serial numbers of all certificates that it ever issued, oldest first."""
        log = (self.folder / "pebble.log").read_text()
        return re.findall(r"Issued certificate serial (\w+) for order", log)

    def state(self, serial: str) -> str:
        """`Valid` or `Revoked`, as the authority itself has it."""
        return str(json.loads(self.managed(f"cert-status-by-serial/{serial}"))["Status"])

    def managed(self, path: str) -> bytes:
        """What its own interface for tests says."""
        trusted = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        with urllib.request.urlopen(
            f"https://127.0.0.1:{self.ports[1]}/{path}", context=trusted, timeout=30
        ) as answer:
            return bytes(answer.read())

    def _run(self, command: list[str], log: str) -> None:
        # Full speed, no refused nonces and no authorizations used again: tests are the same each time.
        environment = {
            **os.environ,
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_WFE_NONCEREJECT": "0",
            "PEBBLE_AUTHZREUSE": "0",
        }
        with (self.folder / log).open("wb") as out:
            self.processes.append(
                subprocess.Popen(
                    dying_with_us(command), stdout=out, stderr=subprocess.STDOUT, env=environment
                )
            )

    @staticmethod
    def _answers(port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False


@lru_cache(maxsize=2)
def _authority(*, binding: bool) -> Pebble:
    folder = Path(tempfile.mkdtemp(prefix="cs-acme-"))
    write_certificates(folder)
    app = Flask("challenges")
    app.register_blueprint(blueprint(folder))
    server = make_server("127.0.0.1", 0, app, server_class=LoopbackServer, handler_class=QuietHandler)
    # Nobody ends it but the process itself, which waits for no daemon.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pebble = Pebble(folder, server.server_port, binding=binding)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(pebble.stop)
    return pebble


@contextmanager
def running(*, binding: bool = False) -> Iterator[Pebble]:
    """The authority; with `binding` it takes only accounts that it knows."""
    pebble = _authority(binding=binding)
    if not pebble.processes:
        pebble.start()
    yield pebble
