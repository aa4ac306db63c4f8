"""The development mailbox as a real server on free ports, and what a test reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.core.development import listen_on_loopback, serving
from portal.notifications.development_mailbox.receiver import receiving
from portal.notifications.development_mailbox.store import MailStore
from portal.notifications.development_mailbox.views import create_mailbox


@dataclass(frozen=True)
class Mailbox:
    """A running mailbox."""

    url: str
    smtp_url: str
    smtp_port: int
    store: MailStore

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """What arrived, newest first, as the API tells it."""
        answer = requests.get(f"{self.url}/api/messages", params={"to": to}, timeout=60)
        answer.raise_for_status()
        return list(answer.json()["messages"])

    def mail(self, name: str) -> dict[str, Any]:
        """One mail with its parts, headers and links."""
        answer = requests.get(f"{self.url}/api/messages/{name}", timeout=60)
        answer.raise_for_status()
        return dict(answer.json())


@pytest.fixture
def development_mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A running mailbox with an empty folder."""
    smtp = listen_on_loopback("mailbox", "127.0.0.1", 0)
    http = listen_on_loopback("mailbox", "127.0.0.1", 0)
    store = MailStore(tmp_path / "mail")
    url, port = f"http://localhost:{http.getsockname()[1]}", smtp.getsockname()[1]
    with receiving(smtp, store), serving(http, create_mailbox(store, url)):
        yield Mailbox(url, f"smtp://127.0.0.1:{port}", port, store)
