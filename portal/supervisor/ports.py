"""The ports of everything embedded: the usual ones, a block of them, single ones, or whichever are free."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from portal.core.errors import SettingsError

HOST = "127.0.0.1"
AUTO = "auto"
HIGHEST = 65_535
#: Where each stands when a block is chosen by its first port.
OFFSETS = {"portal": 0, "sso": 10, "mailbox": 25, "smtp": 26, "scim": 30}
#: Seconds that a port may stay in use by processes that are just ending.
LINGER_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each part answers on loopback."""

    portal: int = 8000
    sso: int = 8010
    mailbox: int = 8025
    smtp: int = 1025
    scim: int = 8030


def choose_ports(wanted: str | None, environ: Mapping[str, str], kept: Path | None = None) -> Ports:
    """The ports by `wanted`: a first port, `auto` or None; COUNTERSIGN_PORT_SSO and the like override single ones.

    Without `wanted`, COUNTERSIGN_PORT_BASE may give it. `auto` takes those of the last time, which the file `kept`
    names, where they are free: the embedded sign-in's address is part of who people are. Raises SettingsError for
    what is not a port.
    """
    wanted = wanted or environ.get("COUNTERSIGN_PORT_BASE") or None
    if wanted == AUTO:
        chosen = _free_ports(_read(kept))
        if kept is not None:
            kept.write_text(json.dumps(chosen), encoding="utf-8")
    elif wanted is not None:
        base = _port("the first port", wanted, highest=HIGHEST - max(OFFSETS.values()))
        chosen = {name: base + offset for name, offset in OFFSETS.items()}
    else:
        chosen = {}
    for field in fields(Ports):
        name = f"COUNTERSIGN_PORT_{field.name.upper()}"
        if environ.get(name):
            chosen[field.name] = _port(name, environ[name])
    return Ports(**chosen)


def insist_free(port: int, part: str) -> None:
    """Raise SettingsError when something else listens on the port."""
    deadline = time.monotonic() + LINGER_SECONDS
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                if time.monotonic() > deadline:
                    message = (
                        f"{part} cannot listen on port {port}: {error.strerror}. Stop what uses it, or choose "
                        f"other ports with --ports auto or COUNTERSIGN_PORT_BASE=9000."
                    )
                    raise SettingsError(message) from error
            else:
                return
        time.sleep(0.1)


def _read(kept: Path | None) -> dict[str, int]:
    """The ports of the last time; none where nothing can be read of them."""
    try:
        told = json.loads(kept.read_text(encoding="utf-8")) if kept else {}
        return {name: _port(name, str(told[name])) for name in told}
    except (OSError, ValueError, TypeError, SettingsError):
        return {}


def _free_ports(before: Mapping[str, int]) -> dict[str, int]:
    """Free ports, those of before where they are, all held at once so that no two are the same."""
    held = {field.name: _listener(before.get(field.name, 0)) for field in fields(Ports)}
    try:
        return {name: int(listener.getsockname()[1]) for name, listener in held.items()}
    finally:
        for listener in held.values():
            listener.close()


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


def _port(name: str, value: str, highest: int = HIGHEST) -> int:
    if not value.isdecimal() or not 0 < int(value) <= highest:
        message = f"{name} is {value!r}; it must be a number from 1 to {highest}."
        raise SettingsError(message)
    return int(value)
