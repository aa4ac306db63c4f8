"""What the account ordered and was given: one small JSON file for each step, beside the account's key."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from catalog.fulfilment.connectors.ca.files import write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order at the authority, and the certificate once there is one.

    `entitlement` is the identity under which the portal knows it; `pem` is the chain, the certificate first; times
    are ISO texts in UTC, and `revoked` is empty while it is not.
    """

    entitlement: str
    reference: str
    names: tuple[str, ...]
    spki_sha256: str
    order: str
    address: str = ""
    serial: str = ""
    not_before: str = ""
    not_after: str = ""
    pem: str = ""
    revoked: str = ""

    def valid_at(self, now: datetime) -> bool:
        """Whether it is a certificate that neither ended nor was revoked by us."""
        return bool(self.pem) and not self.revoked and datetime.fromisoformat(self.not_after) > now

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificate and those above it."""
        return x509.load_pem_x509_certificates(self.pem.encode("ascii"))


class OrderRecords:
    """Reads and writes the files; each is read again only when it changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "orders"
        self._known: dict[str, tuple[int, Ordered]] = {}

    def every(self) -> list[Ordered]:
        """All of them, by order and step."""
        found: dict[str, tuple[int, Ordered]] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.endswith(".json"):
                    continue
                with contextlib.suppress(FileNotFoundError):  # dropped this very moment
                    changed, known = entry.stat().st_mtime_ns, self._known.get(entry.name)
                    fresh = known if known and known[0] == changed else None
                    found[entry.name] = fresh or (changed, _read(Path(entry.path)))
        self._known = found
        return [found[name][1] for name in sorted(found, key=lambda name: (found[name][1].not_before, name))]

    def find(self, key: str) -> Ordered | None:
        """What this step ordered."""
        file = self._file(key)
        return _read(file) if file.exists() else None

    def of_entitlement(self, entitlement: str) -> list[Ordered]:
        """What was ordered under this identity, by whatever step."""
        return [record for record in self.every() if record.entitlement == entitlement]

    def keep(self, key: str, record: Ordered) -> None:
        """Write it down; when this returns, it is on disk."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._file(key), json.dumps(asdict(record), indent=1).encode())

    def keep_all(self, before: Ordered, after: Ordered) -> None:
        """Write the change down for every step that shares the order."""
        self.every()
        for name, (_, record) in self._known.items():
            if record.order == before.order:
                write_whole(self._folder / name, json.dumps(asdict(after), indent=1).encode())

    def drop(self, order: str) -> None:
        """Forget an order that came to nothing."""
        self.every()
        for name, (_, record) in self._known.items():
            if record.order == order and not record.pem:
                (self._folder / name).unlink(missing_ok=True)

    def lock_of(self, entitlement: str) -> Path:
        """The file to lock while something is ordered under this identity."""
        locks = self._folder.parent / "locks"
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        return locks / hashlib.sha256(entitlement.encode()).hexdigest()

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _read(file: Path) -> Ordered:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Ordered(**content | {"names": tuple(content["names"])})
    except (KeyError, TypeError, ValueError) as error:
        message = say(
            "The record %(file)s of the ACME account is damaged. An operator must restore it from a backup.",
            file=file.name,
        )
        raise ConnectorError(message, permanent=True) from error
