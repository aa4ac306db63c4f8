"""Private keys in files that only one account may read: the ledger's Ed25519 keys, and what other keys share with them."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from portal.core.errors import SettingsError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """The key in this file, made on first use. Raises SettingsError when others may read it."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        create_private_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return load_key(path)


def load_key(path: Path) -> Ed25519PrivateKey:
    """The key in the file. Raises SettingsError when it is no Ed25519 key, or group or others have rights on it."""
    content = read_private_file(path)
    try:
        key = load_pem_private_key(content, password=None)
    except ValueError as error:
        message = f"{path} holds no private key that can be read."
        raise SettingsError(message) from error
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path} holds no Ed25519 key."
        raise SettingsError(message)
    return key


def read_private_file(path: Path) -> bytes:
    """A key file's content. Raises SettingsError when group or others have rights on it."""
    if path.stat().st_mode & OTHERS:
        message = f"Others may read the signing key {path}; mend it with: chmod 600 {path}"
        raise SettingsError(message)
    return path.read_bytes()


def replace_private_file(path: Path, content: bytes) -> None:
    """The key file holds this from now on, or what it held before; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def create_private_file(path: Path, content: bytes) -> None:
    """Write a key file that only its owner may read, unless there is one already; the first of two wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Threads of one process may start at once as well.
    temporary = path.with_suffix(f".{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Two processes may start at once: the first key wins and the other is thrown away.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
