"""What the CA has issued and revoked: one small JSON file each, named by idempotency key and by serial number."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
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
    #: The slug of the unit whose CA signed it; empty for the general one.
    issuer: str = ""

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

    Writers hold the CA's lock. Readers need none: what was issued or revoked only ever appears and never changes, so
    each file is read once; only a coming end may be withdrawn.
    """

    def __init__(self, folder: Path) -> None:
        self._issued_folder = folder / "by-key"
        self._revoked_folder = folder / "revoked"
        self._ends_folder = folder / "ending"
        self._reading = threading.Lock()
        self._issued: set[str] = set()
        self._sorted: list[Issued] = []
        self._by_serial: dict[str, Issued] = {}
        self._by_entitlement: dict[str, list[Issued]] = {}
        self._by_public_key: dict[str, list[Issued]] = {}
        self._revoked: dict[str, Revoked] = {}
        self._ends: dict[str, tuple[int, Revoked]] = {}

    def make_folders(self) -> None:
        """Make the folders when missing."""
        for folder in (self._issued_folder, self._revoked_folder, self._ends_folder):
            folder.mkdir(mode=0o700, exist_ok=True)

    def every(self) -> list[Issued]:
        """All certificates, each once, oldest first."""
        with self._reading:
            new = _names_in(self._issued_folder) - self._issued
            for name in new:
                record = _issued(self._issued_folder / name)
                self._issued.add(name)
                # Two steps that asked for the same certificate were given the same one.
                if record.serial not in self._by_serial:
                    self._by_serial[record.serial] = record
                    self._by_entitlement.setdefault(record.entitlement, []).append(record)
                    self._by_public_key.setdefault(record.spki_sha256, []).append(record)
            if new:
                self._sorted = sorted(self._by_serial.values(), key=_by_age)
            return self._sorted.copy()

    def find_by_key(self, key: str) -> Issued | None:
        """The certificate that this key issued."""
        file = self._file(key)
        return _issued(file) if file.exists() else None

    def find_by_serial(self, serial: str) -> Issued | None:
        """The certificate with this serial (hex, lower case, no leading zeros)."""
        if serial not in self._by_serial:
            self.every()
        return self._by_serial.get(serial)

    def of_entitlement(self, entitlement: str) -> list[Issued]:
        """The certificates under this identity, oldest first."""
        self.every()
        return sorted(self._by_entitlement.get(entitlement, []), key=_by_age)

    def of_public_key(self, spki_sha256: str) -> list[Issued]:
        """The certificates with this public key, oldest first."""
        self.every()
        return sorted(self._by_public_key.get(spki_sha256, []), key=_by_age)

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
        for name in _names_in(self._revoked_folder) - self._revoked.keys():
            self._revoked[name] = _revoked(self._revoked_folder / name)
        return [self._revoked[name] for name in sorted(self._revoked)]

    def revoke(self, revocation: Revoked) -> None:
        """Keep a revocation; when this returns, it is on disk."""
        write_whole(self._revoked_folder / f"{revocation.serial}.json", _content_of(revocation))

    def find_end(self, serial: str) -> Revoked | None:
        """The revocation that this serial has coming, or that came so."""
        file = self._ends_folder / f"{serial}.json"
        return _revoked(file) if file.exists() else None

    def ends(self) -> list[Revoked]:
        """All revocations that were arranged ahead, come or not, by serial."""
        if not self._ends_folder.exists():
            # A folder from before there were any.
            return []
        found: dict[str, tuple[int, Revoked]] = {}
        with os.scandir(self._ends_folder) as entries:
            for entry in entries:
                if not entry.name.endswith(".json"):
                    continue
                with contextlib.suppress(FileNotFoundError):  # withdrawn this very moment
                    changed, known = entry.stat().st_mtime_ns, self._ends.get(entry.name)
                    fresh = known if known and known[0] == changed else None
                    found[entry.name] = fresh or (changed, _revoked(Path(entry.path)))
        self._ends = found
        return [found[name][1] for name in sorted(found)]

    def arrange_end(self, revocation: Revoked) -> None:
        """Keep a revocation that is still to come; when this returns, it is on disk."""
        self._ends_folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(self._ends_folder / f"{revocation.serial}.json", _content_of(revocation))

    def withdraw_end(self, serial: str) -> None:
        """The revocation does not come."""
        (self._ends_folder / f"{serial}.json").unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._issued_folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _names_in(folder: Path) -> set[str]:
    return {name for name in os.listdir(folder) if name.endswith(".json")}  # noqa: PTH208  (thousands: no Path for each)


def _by_age(record: Issued) -> tuple[datetime, str]:
    return record.not_before, record.serial


def _content_of(revocation: Revoked) -> bytes:
    return json.dumps(asdict(revocation) | {"at": revocation.at.isoformat()}, indent=1).encode()


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
