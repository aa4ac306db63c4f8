"""The authority's keys in files of its folder, which nobody but their owner may read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from catalog.fulfilment.connectors.ca.files import OWNER_ONLY, write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

ROOT, ISSUING = "root", "issuing"


class Keys(Protocol):
    """Where the authority's keys lie. A key is named `root`, `issuing`, or `units/<slug>/issuing`."""

    def make(self, name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        """A new key, kept; where keys cannot be replaced, the one of this name that is there already."""
        ...

    def load(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The key. Raises ConnectorError, and OSError when the place cannot be read."""
        ...

    def described(self, name: str) -> str:
        """Where the key is, for operators."""
        ...


class KeyFiles:
    """One PEM file a key, under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        """A new key in a file of its own, in the place of one that a half-made authority left."""
        key = ec.generate_private_key(curve)
        file = self._file(name)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(
            file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=OWNER_ONLY
        )
        return key

    def load(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The key. Raises a permanent ConnectorError when others can read it or it is of another kind."""
        file = self._file(name)
        if file.stat().st_mode & 0o077:
            message = say(
                "%(file)s can be read by other users of this machine. An operator must run: chmod 600 %(file)s",
                file=file,
            )
            raise ConnectorError(message, permanent=True)
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            message = say(
                "%(file)s holds no key that the authority can use. "
                "An operator must restore the folder from a backup.",
                file=file,
            )
            raise ConnectorError(message, permanent=True)
        return key

    def described(self, name: str) -> str:
        """The file's path."""
        return str(self._file(name))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.key"
