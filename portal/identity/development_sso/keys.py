"""The provider's signing key: made once and kept, so that a restart does not turn every ID token false."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from portal.core.errors import SettingsError

KEY_BITS = 2048


def signing_key(folder: Path) -> RSAKey:
    """The RS256 key kept in the folder, made on first use and readable by its owner only.

    Raises SettingsError when what lies there is not a private RSA key.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "signing-key.pem"
    if not file.exists():
        _make(file)
    file.chmod(0o600)
    try:
        key = RSAKey.import_key(file.read_bytes())
    except (JoseError, ValueError) as error:
        message = f"{file} is not an RSA key; delete it and a new one is made at the next start."
        raise SettingsError(message) from error
    if not key.is_private:
        message = f"{file} holds no private key; delete it and a new one is made at the next start."
        raise SettingsError(message)
    # The RFC 7638 thumbprint as key id: the same key has the same id after a restart.
    key.ensure_kid()
    return key


def _make(file: Path) -> None:
    pem = RSAKey.generate_key(KEY_BITS, private=True).as_pem(private=True)
    half = file.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        # Linking refuses an existing name: of two processes that start at once, one makes the key.
        with contextlib.suppress(FileExistsError):
            os.link(half, file)
    finally:
        half.unlink()
