"""The data folder: its layout, who may read it, and the secrets made for development."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from portal.core.errors import SettingsError

#: Made at the first start; only their owner may look into them.
FOLDERS = ("logs", "run", "secrets", "state", "keys", "signer", "checkpoints", "targets")
SECRETS = ("secret_key", "oidc_client_secret", "scim_token")


def lay_out(home: Path) -> None:
    """Make the data folder and what is in it. Raises SettingsError with a sentence when that is refused."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (home / name).mkdir(mode=0o700, exist_ok=True)
        for name in SECRETS:
            make_secret(secret_file(home, name))
    except OSError as error:
        message = (
            f"The data folder {home} cannot be used: {error.strerror}. Choose another with COUNTERSIGN_HOME."
        )
        raise SettingsError(message) from error


def secret_file(home: Path, name: str) -> Path:
    """Where a generated secret lies."""
    return home / "secrets" / name


def make_secret(file: Path) -> None:
    """Write a new secret, 0600, unless there is one."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as new:
        new.write(secrets.token_hex(32))
