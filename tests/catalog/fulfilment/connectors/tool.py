"""An automation tool on loopback: keeps what was asked of it, and checks each signature by itself.

It is written from the Standard Webhooks specification and shares no code with the portal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of test secret!").decode()
TITLE = "Response platform"


def signature(message: str, second: str, body: bytes, secret: str = SECRET) -> str:
    """By the specification: HMAC-SHA256 over id, time and body with full stops between them."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{message}.{second}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


@dataclass
class Tool:
    """`at_once` is the status with which work begins; `runs` is what it was asked to do, by the call's id."""

    at_once: str = "running"
    port: int = 0
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: How often something was set going on it, whatever the id.
    effects: int = 0
    refused: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: Answers instead of its own: status, headers, body.
    instead: tuple[int, dict[str, str], bytes] | None = None
    #: The next posts are acted on and then answered with 503, as by a tool that dies after acting.
    dies_after_acting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    #: How many callbacks it has made.
    sent: int = 0
    #: Its clock, in seconds.
    now: Callable[[], float] = time.time
    server: ThreadingHTTPServer | None = None
    thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/countersign"

    def content(self) -> object:
        """What is on it."""
        with self.lock:
            return json.loads(json.dumps({"runs": self.runs, "effects": self.effects}))

    def finish(self, status: str = "done", **facts: object) -> None:
        """What runs comes to its end."""
        with self.lock:
            for run in self.runs.values():
                if run["status"] == "running":
                    run["status"] = "undone" if run["undo"] and status == "done" else status
                    run["facts"] = {"host": run["order"]["parameters"].get("host", ""), **facts}
                    self._undo(run)

    def act(self, path: str, message: str, content: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            if content["type"] == "countersign.plan":
                order = content["data"]["order"]
                return {
                    "lines": [f"Would isolate {order['parameters'].get('host', '')}"],
                    "already": self._is_live(order["entitlement"]),
                }
            if message not in self.runs:
                self.effects += 1
                self.runs[message] = {
                    "status": self.at_once,
                    "order": content["data"]["order"],
                    "undo": path.endswith("/undo"),
                    "callback": content["data"].get("callback", ""),
                    "facts": {},
                }
                self._undo(self.runs[message])
            return self.told(message)

    def told(self, message: str) -> dict[str, Any]:
        run = self.runs[message]
        return {"status": run["status"], "facts": run["facts"], "message": "As you wish."}

    def call_back(
        self, message: str, *, secret: str = SECRET, at: float | None = None, sent: str = "", **claims: object
    ) -> tuple[str, dict[str, str], bytes]:
        """A signed callback about a run: its address, headers and body."""
        run = self.runs[message]
        body = json.dumps(
            {"type": "run.finished", "data": {"key": message, **self.told(message), **claims}}
        ).encode()
        self.sent += 1
        sent = sent or f"msg-{self.sent}"
        second = str(int(self.now() if at is None else at))
        headers = {
            "webhook-id": sent,
            "webhook-timestamp": second,
            "webhook-signature": signature(sent, second, body, secret),
            "Content-Type": "application/json",
        }
        return urlsplit(run["callback"]).path, headers, body

    def live(self) -> list[dict[str, Any]]:
        return [
            {
                "entitlement": run["order"]["entitlement"],
                "label": f"{run['order']['action']} {run['order']['parameters'].get('host', '')}",
                "reference": run["order"]["reference"],
            }
            for run in self.runs.values()
            if run["status"] == "done" and not run["undo"]
        ]

    def _is_live(self, entitlement: str) -> bool:
        return any(item["entitlement"] == entitlement for item in self.live())

    def _undo(self, run: dict[str, Any]) -> None:
        if run["undo"] and run["status"] in {"done", "undone"}:
            for other in self.runs.values():
                if other["order"]["entitlement"] == run["order"]["entitlement"]:
                    other["status"] = "undone"

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"tool": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=lambda: self.server.serve_forever(0.02), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        if self.server is not None and self.thread is not None:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None


class _Handler(BaseHTTPRequestHandler):
    tool: Tool
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes) -> None:
        self.close_connection = True
        message = self.headers["webhook-id"] or ""
        second = self.headers["webhook-timestamp"] or ""
        self.tool.asked.append((self.command, self.path))
        good = signature(message, second, body)
        given = (self.headers["webhook-signature"] or "").split(" ")
        if good not in given or abs(self.tool.now() - int(second)) > 300:
            self.tool.refused.append(self.path)
            return self.reply(401, {"message": "not signed"})
        if self.tool.instead is not None:
            status, headers, content = self.tool.instead
            return self.raw(status, headers, content)
        path = urlsplit(self.path).path.removeprefix("/hooks/countersign")
        if self.command == "POST":
            told = self.tool.act(path, message, json.loads(body))
            if self.tool.dies_after_acting and not path.endswith("/plan"):
                self.tool.dies_after_acting -= 1
                return self.reply(503, {})
            return self.reply(202, told)
        if path == "/live":
            with self.tool.lock:
                return self.reply(200, {"items": self.tool.live()})
        asked = unquote(path.removeprefix("/status/"))
        with self.tool.lock:
            return self.reply(200, self.tool.told(asked)) if asked in self.tool.runs else self.reply(404, {})

    def reply(self, status: int, content: object) -> None:
        self.raw(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def raw(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def running(**changes: Any) -> Iterator[Tool]:
    """A tool with nothing on it."""
    tool = Tool(**changes)
    tool.start()
    try:
        yield tool
    finally:
        tool.stop()


def targets_file(folder: Path, tool: Tool, **changes: object) -> Path:
    """The operator's file that names the tool; None leaves a setting out."""
    settings: dict[str, object] = {
        "title": TITLE,
        "url": tool.url,
        "mode": "poll",
        "actions": ["isolate_host"],
        "secret": SECRET,
        "paths": {"undo": "undo", "status": "status/{key}", "plan": "plan", "list": "live"},
        "seconds": 5,
        **changes,
    }
    file = folder / "targets.yaml"
    given = {name: value for name, value in settings.items() if value is not None}
    file.write_text(json.dumps({"targets": {"soar": given}}))
    return file
