"""What the CA has issued and revoked: one small JSON file each, named by idempotency key and by serial number."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from catalog.fulfilment.connectors.ca.files import write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate. `entitlement` is the identity under which the portal knows it; times are aware UTC."""

    serial: str
    entitlement: str
    reference: str
    profile: str
    names: tuple[str, ...]
    spki_sha256: str
    not_before: datetime
    not_after: datetime
    certificate: str

    @property
    def number(self) -> int:
        """The serial as a number."""
        return int(self.serial, 16)

    def x509(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificate(self.certificate.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Revoked:
    """One revocation; `at` is aware UTC in whole seconds."""

    serial: str
    reason: str
    at: datetime


class Records:
    """Reads and writes the files.

    Writers hold the CA's lock. Readers need none: files only ever appear and never change, so each is read once.
    """

    def __init__(self, folder: Path) -> None:
        self._issued_folder = folder / "by-key"
        self._revoked_folder = folder / "revoked"
        self._issued: dict[str, Issued] = {}
        self._by_serial: dict[str, Issued] = {}
        self._revoked: dict[str, Revoked] = {}

    def make_folders(self) -> None:
        """Make the two folders when missing."""
        for folder in (self._issued_folder, self._revoked_folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def every(self) -> list[Issued]:
        """All certificates, each once, oldest first."""
        for file in self._issued_folder.iterdir():
            if file.suffix == ".json" and file.name not in self._issued:
                record = _issued(file)
                self._issued[file.name] = self._by_serial[record.serial] = record
        return sorted(self._by_serial.values(), key=lambda record: (record.not_before, record.serial))

    def find_by_key(self, key: str) -> Issued | None:
        """The certificate that this key issued."""
        file = self._file(key)
        return _issued(file) if file.exists() else None

    def find_by_serial(self, serial: str) -> Issued | None:
        """The certificate with this serial (hex, lower case, no leading zeros)."""
        if serial not in self._by_serial:
            self.every()
        return self._by_serial.get(serial)

    def add(self, key: str, record: Issued) -> None:
        """Keep the certificate under its key; when this returns, it is on disk."""
        content = asdict(record) | {
            "names": list(record.names),
            "not_before": record.not_before.isoformat(),
            "not_after": record.not_after.isoformat(),
        }
        write_whole(self._file(key), json.dumps(content, indent=1).encode())

    def find_revocation(self, serial: str) -> Revoked | None:
        """The revocation of this serial."""
        file = self._revoked_folder / f"{serial}.json"
        return _revoked(file) if file.exists() else None

    def revocations(self) -> list[Revoked]:
        """All revocations, by serial."""
        for file in self._revoked_folder.iterdir():
            if file.suffix == ".json" and file.name not in self._revoked:
                self._revoked[file.name] = _revoked(file)
        return [self._revoked[name] for name in sorted(self._revoked)]

    def revoke(self, revocation: Revoked) -> None:
        """Keep a revocation; when this returns, it is on disk."""
        content = asdict(revocation) | {"at": revocation.at.isoformat()}
        write_whole(
            self._revoked_folder / f"{revocation.serial}.json", json.dumps(content, indent=1).encode()
        )

    def _file(self, key: str) -> Path:
        return self._issued_folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _issued(file: Path) -> Issued:
    content = _content(file)
    try:
        return Issued(
            **content
            | {
                "names": tuple(content["names"]),
                "not_before": datetime.fromisoformat(content["not_before"]),
                "not_after": datetime.fromisoformat(content["not_after"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file) from error


def _revoked(file: Path) -> Revoked:
    content = _content(file)
    try:
        return Revoked(content["serial"], content["reason"], datetime.fromisoformat(content["at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file) from error


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(file) from error
    if not isinstance(content, dict):
        raise _damaged(file)
    return content


def _damaged(file: Path) -> ConnectorError:
    message = say(
        "The certificate authority's record %(file)s is damaged. An operator must restore it from a backup.",
        file=file.name,
    )
    return ConnectorError(message, permanent=True)
