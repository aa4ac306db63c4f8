"""A real SCIM server on a free port of this machine, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from wsgiref.simple_server import WSGIServer, make_server

from portal.demo_targets import scim

TOKEN = "token-of-the-test"
PEOPLE = [
    {
        "user_name": "beatriz.sousa",
        "name": "Beatriz Sousa",
        "given_name": "Beatriz",
        "family_name": "Sousa",
        "email": "beatriz.sousa@meridian.example",
    },
    {
        "user_name": "siobhan.oneill",
        "name": "Siobhán O'Neill",
        "given_name": "Siobhán",
        "family_name": "O'Neill",
        "email": "siobhan.oneill@meridian.example",
    },
]


@dataclass(frozen=True)
class Directory:
    """The running server; `content` is all that it holds, `stop` ends it at once."""

    url: str
    storage: scim.KeptStorage
    stop: Callable[[], None]

    def content(self) -> list[dict[str, Any]]:
        return [resource.model_dump() for resource in self.storage.resources]

    def named(self, name: str) -> Any:
        """The group of this display name or the user of this user name."""
        return next(
            r
            for r in self.storage.resources
            if name in (getattr(r, "display_name", ""), getattr(r, "user_name", ""))
        )


@contextmanager
def serving(application: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    """Any WSGI application on a free port; yields its address and what stops it."""
    server: WSGIServer = make_server(
        "127.0.0.1", 0, application, server_class=scim.LoopbackServer, handler_class=scim.QuietHandler
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def stop() -> None:
        if thread.is_alive():
            server.shutdown()
            thread.join()
            server.server_close()

    try:
        yield f"http://127.0.0.1:{server.server_port}", stop
    finally:
        stop()


@contextmanager
def running(folder: Path) -> Iterator[Directory]:
    application = scim.build(folder / "directory.json", TOKEN, PEOPLE)
    with serving(application) as (address, stop):
        yield Directory(f"{address}/v2", cast("scim.KeptStorage", application.storage), stop)
