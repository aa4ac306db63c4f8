"""The keys that whoever verifies was given by another way than the file. Nothing in the file is ever added to them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.holders.cosignatures import WitnessKey, is_witness_key, read_witness_key
from portal.audit.notes import NoteError, fingerprint, read_verifier_key
from reports.pdf.keys import fingerprint_of
from reports.verifier.recount import read_kept
from reports.verifier.verify import Head

_HEX = re.compile(r"[0-9a-f]{64}")
LONGEST_KEY_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Trusted:
    """Fingerprints (64 hex digits) of ledger keys and of certificates; one value may be either. And witnesses' keys."""

    fingerprints: frozenset[str] = frozenset()
    witnesses: tuple[WitnessKey, ...] = ()
    #: Heads of checkpoints that whoever verifies has kept.
    kept: tuple[Head, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str], checkpoints: Iterable[Path] = ()) -> Trusted:
        """From verifier keys (name+hash+key) of ledgers and witnesses, fingerprints, or files that hold one or a certificate.

        Raises ValueError with a sentence for anything else.
        """
        read = [_read(value) for value in values]
        witnesses = {key.verifier: key for key in read if isinstance(key, WitnessKey)}
        keys = frozenset(key for key in read if isinstance(key, str))
        return cls(keys, tuple(witnesses.values()), tuple(map(read_kept, checkpoints)))

    def __bool__(self) -> bool:
        return bool(self.fingerprints)

    def has_ledger_key(self, key: Ed25519PublicKey) -> bool:
        """Whether this is a ledger's key that was given."""
        return plain(fingerprint(key)) in self.fingerprints

    def has_certificate(self, certificate: x509.Certificate) -> bool:
        """Whether this is a certificate that was given."""
        return plain(fingerprint_of(certificate)) in self.fingerprints


def plain(text: str) -> str:
    """A fingerprint without its prefix, spaces and colons."""
    return re.sub(r"[\s:]", "", text.strip().lower().removeprefix("sha256:"))


def _read(value: str) -> str | WitnessKey:
    if _HEX.fullmatch(plain(value)):
        return plain(value)
    if "+" in value:
        try:
            if is_witness_key(value):
                return read_witness_key(value)
            return plain(fingerprint(read_verifier_key(value)[1]))
        except NoteError as error:
            raise ValueError(f"{error}.") from error
    path = Path(value)
    if path.is_file() and path.stat().st_size <= LONGEST_KEY_FILE:
        return _read_file(path)
    raise ValueError(
        f"“{value[:80]}” is no key: give the ledger's key (name+hash+key), a SHA-256 fingerprint, or a file with either "
        "or with the certificate."
    )


def _read_file(path: Path) -> str | WitnessKey:
    content = path.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" in content:
        return plain(fingerprint_of(x509.load_pem_x509_certificate(content)))
    text = content.decode("utf-8", errors="replace").strip().splitlines()
    first = text[0] if text else ""
    if Path(first).is_file():
        raise ValueError(f"{path} holds no key.")
    return _read(first)
