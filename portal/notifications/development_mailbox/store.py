"""Mails in a folder: each as it came in `<id>.eml`, its envelope beside it in `<id>.json`, the oldest dropped."""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from portal.notifications.development_mailbox.reading import read_mail

MAXIMUM_MESSAGES = 1000
_ID = re.compile(r"[0-9]{19}-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the list shows of one mail. `recipients` are those of the SMTP envelope, in lower case."""

    id: str
    received: str
    mail_from: str
    recipients: tuple[str, ...]
    sender: str
    subject: str
    snippet: str
    message_id: str
    size: int

    @property
    def received_at(self) -> datetime:
        """When it came, in UTC."""
        return datetime.fromisoformat(self.received)


class MailStore:
    """The folder of one mailbox. Several threads may read while one writes."""

    def __init__(self, folder: Path, maximum: int = MAXIMUM_MESSAGES) -> None:
        self._folder = folder
        self._maximum = maximum
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for half in folder.glob("*.part"):
            half.unlink(missing_ok=True)

    def add(self, raw: bytes, mail_from: str, recipients: Sequence[str]) -> Envelope:
        """Keep a mail; it is listed only once it is there as a whole."""
        now = time.time_ns()
        mail = read_mail(raw)
        envelope = Envelope(
            id=f"{now:019d}-{secrets.token_hex(4)}",
            received=datetime.fromtimestamp(now / 1e9, UTC).isoformat(timespec="milliseconds"),
            mail_from=mail_from,
            recipients=tuple(address.lower() for address in recipients),
            sender=mail.sender or mail_from,
            subject=mail.subject,
            snippet=mail.snippet,
            message_id=mail.message_id,
            size=len(raw),
        )
        text = json.dumps(asdict(envelope), ensure_ascii=False)
        with self._lock:
            self._write(f"{envelope.id}.eml", raw)
            self._write(f"{envelope.id}.json", text.encode("utf-8", "backslashreplace"))
            for old in self._ids()[self._maximum :]:
                (self._folder / f"{old}.json").unlink(missing_ok=True)
                (self._folder / f"{old}.eml").unlink(missing_ok=True)
        return envelope

    def mails(self, recipient: str = "") -> list[Envelope]:
        """The mails, newest first; those to `recipient` alone if one is given."""
        wanted = recipient.strip().lower()
        found = [envelope for name in self._ids() if (envelope := self.find(name))]
        return [envelope for envelope in found if not wanted or wanted in envelope.recipients]

    def recipients(self) -> list[str]:
        """Everybody who got a mail, in order of address."""
        return sorted({address for envelope in self.mails() for address in envelope.recipients})

    def find(self, name: str) -> Envelope | None:
        """The mail with this id."""
        if not _ID.fullmatch(name):
            return None
        try:
            fields = json.loads((self._folder / f"{name}.json").read_bytes())
            return Envelope(**{**fields, "recipients": tuple(fields["recipients"])})
        except (OSError, ValueError, TypeError, KeyError):
            # Dropped meanwhile, or not ours.
            return None

    def raw(self, name: str) -> bytes | None:
        """The mail's bytes as they came."""
        if not _ID.fullmatch(name):
            return None
        try:
            return (self._folder / f"{name}.eml").read_bytes()
        except OSError:
            return None

    def _ids(self) -> list[str]:
        names = (path.stem for path in self._folder.glob("*.json"))
        return sorted((name for name in names if _ID.fullmatch(name)), reverse=True)

    def _write(self, name: str, content: bytes) -> None:
        half = self._folder / f".{name}.{secrets.token_hex(4)}.part"
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        half.replace(self._folder / name)
