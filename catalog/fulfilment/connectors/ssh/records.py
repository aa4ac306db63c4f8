"""What the SSH authority has signed and taken back: one small JSON file each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.ca.files import write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say


@dataclass(frozen=True, slots=True)
class Signed:
    """One certificate. `entitlement` is the identity under which the portal knows it; times are aware UTC."""

    serial: int
    entitlement: str
    reference: str
    key_id: str
    fingerprint: str
    principals: tuple[str, ...]
    valid_after: datetime
    valid_before: datetime
    certificate: str


class Records:
    """Reads and writes the files. Writers hold the authority's lock; files only ever appear and never change."""

    def __init__(self, folder: Path) -> None:
        self._signed = folder / "signed"
        self._revoked = folder / "revoked"

    def make_folders(self) -> None:
        """Make the two folders when missing."""
        for folder in (self._signed, self._revoked):
            folder.mkdir(mode=0o700, exist_ok=True)

    def find(self, key: str) -> Signed | None:
        """The certificate that this idempotency key signed."""
        file = self._file(key)
        return _read(file) if file.exists() else None

    def every(self) -> list[Signed]:
        """All certificates, oldest first."""
        found = [_read(file) for file in self._signed.iterdir() if file.suffix == ".json"]
        return sorted(found, key=lambda record: (record.valid_after, record.serial))

    def add(self, key: str, record: Signed) -> None:
        """Keep the certificate under its key; when this returns, it is on disk."""
        content = asdict(record) | {
            "principals": list(record.principals),
            "valid_after": record.valid_after.isoformat(),
            "valid_before": record.valid_before.isoformat(),
        }
        write_whole(self._file(key), json.dumps(content, indent=1).encode())

    def is_revoked(self, serial: int) -> bool:
        """Whether the certificate was taken back."""
        return (self._revoked / str(serial)).exists()

    def revoke(self, serial: int, at: datetime) -> None:
        """Remember that it was taken back; the first time counts."""
        if not self.is_revoked(serial):
            write_whole(self._revoked / str(serial), at.isoformat().encode())

    def _file(self, key: str) -> Path:
        return self._signed / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _read(file: Path) -> Signed:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Signed(
            **content
            | {
                "principals": tuple(content["principals"]),
                "valid_after": datetime.fromisoformat(content["valid_after"]),
                "valid_before": datetime.fromisoformat(content["valid_before"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        message = say(
            "The SSH authority's record %(file)s is damaged. An operator must restore it from a backup.",
            file=file.name,
        )
        raise ConnectorError(message, permanent=True) from error
