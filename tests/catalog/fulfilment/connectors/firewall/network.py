"""Three network namespaces joined by cables: an office, a published server, and the firewall between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.fixtures_servers import dying_with_us, wait_until

OFFICE, SERVER = "10.1.2.10", "10.9.0.10"
#: Seconds for what must work, on a slow machine too, and for what must not.
PATIENCE, BRIEFLY = 45.0, 0.7
#: Answers on these ports with a line, and once more for every line that it is sent.
_SERVE = """
import asyncio, sys
async def talk(reader, writer):
    writer.write(b"here\\n")
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()
async def main():
    for port in sys.argv[2:]:
        await asyncio.start_server(talk, sys.argv[1], int(port))
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
_CONNECT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])) as talk:
    assert talk.makefile().readline() == "here\\n"
"""
#: Holds one connection, and says for each line that it reads whether the server still answers on it.
_HOLD = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as talk:
    answers = talk.makefile()
    assert answers.readline() == "here\\n"
    print("connected", flush=True)
    for line in sys.stdin:
        talk.settimeout(float(line))
        try:
            talk.sendall(b"again\\n")
            print(answers.readline() == "again\\n", flush=True)
        except OSError:
            print(False, flush=True)
            break
"""


@dataclass(frozen=True)
class Network:
    """The names of the namespaces: the firewall's, and on each side of it the one of a machine."""

    name: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command at the firewall."""
        return ("ip", "netns", "exec", f"{self.name}-fw")

    def run(self, side: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on one side: `office`, `dmz` or `fw`."""
        inside = ["ip", "netns", "exec", f"{self.name}-{side}", *command]
        return subprocess.run(inside, check=False, capture_output=True, text=True, timeout=60)

    def nft(self, *command: str) -> str:
        """nft by hand at the firewall, past Countersign."""
        done = self.run("fw", "nft", *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def passes(self, port: int) -> bool:
        """Whether a connection from the office to the server is made, however slow this machine is."""
        return self._connects(port, PATIENCE)

    def blocks(self, port: int) -> bool:
        """Whether no connection is made; what is dropped is never answered, so it is given up quickly."""
        return not self._connects(port, BRIEFLY)

    def _connects(self, port: int, seconds: float) -> bool:
        done = self.run("office", sys.executable, "-S", "-c", _CONNECT, SERVER, str(port), str(seconds))
        assert done.returncode == 0 or "TimeoutError" in done.stderr, done.stderr
        return done.returncode == 0

    @contextmanager
    def connected(self, port: int) -> Iterator[Callable[[float], bool]]:
        """A connection from the office that stays open; yields what says whether it works within so many seconds."""
        inside = ["ip", "netns", "exec", f"{self.name}-office", sys.executable, "-S", "-c", _HOLD]
        talk = subprocess.Popen(
            dying_with_us([*inside, SERVER, str(port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert talk.stdin is not None
        assert talk.stdout is not None
        asking, answers = talk.stdin, talk.stdout

        def works(seconds: float) -> bool:
            asking.write(f"{seconds}\n")
            asking.flush()
            return answers.readline() == "True\n"

        try:
            assert answers.readline() == "connected\n"
            yield works
        finally:
            talk.kill()
            talk.communicate()


@contextmanager
def joined(*ports: int) -> Iterator[Network]:
    """The network, with a server that listens on these ports. Needs root."""
    network = Network(f"cs{os.getpid()}")
    sides = (("office", OFFICE, "10.1.2.1"), ("dmz", SERVER, "10.9.0.1"))
    names = [f"{network.name}-{side}" for side in ("fw", "office", "dmz")]
    server = None
    try:
        for name in names:
            _ip("netns", "add", name)
        for side, address, gateway in sides:
            # Both ends are made where they belong, so that no name of this machine's own is ever taken.
            own = f"{network.name}-{side}"
            _ip("-n", names[0], "link", "add", side, "type", "veth", "peer", "name", "eth0", "netns", own)
            _ip("-n", names[0], "addr", "add", f"{gateway}/24", "dev", side)
            _ip("-n", names[0], "link", "set", side, "up")
            _ip("-n", own, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", own, "link", "set", "eth0", "up")
            _ip("-n", own, "route", "add", "default", "via", gateway)
        forward = network.run("fw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        assert forward.returncode == 0, forward.stderr
        command = [
            "ip",
            "netns",
            "exec",
            names[2],
            sys.executable,
            "-S",
            "-c",
            _SERVE,
            SERVER,
            *map(str, ports),
        ]
        server = subprocess.Popen(dying_with_us(command), stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        wait_until(lambda: network.passes(ports[0]), "the cables are up", 60)
        yield network
    finally:
        if server is not None:
            server.kill()
            server.communicate()
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
