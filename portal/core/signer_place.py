"""Where the ledger's signing key is, or who holds it: settings of the signer's process and of those who ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portal.core.environment import read_secret
from portal.core.errors import SettingsError
from portal.core.token import TokenPlace

#: sockaddr_un(7): sun_path holds 108 bytes with the closing zero.
LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerPlace:
    """`socket`: where the signer's process listens; None where this process signs by itself.

    `folder` holds the signer's last head, the list of its keys and, without a token, the keys.
    """

    folder: Path
    socket: Path | None = None
    token: TokenPlace | None = field(default=None, repr=False)


def read_signer_place(env: Mapping[str, str], home: Path, *, holding: bool) -> SignerPlace:
    """From SIGNER_SOCKET, SIGNER_FOLDER and SIGNER_PKCS11_…. Raises SettingsError.

    Only who holds the key (`holding`, or nobody else is named) looks at the token's PIN.
    """
    given = env.get("SIGNER_SOCKET", "")
    socket = Path(given).resolve() if given else None
    if socket is not None and len(bytes(socket)) > LONGEST_SOCKET_PATH:
        message = f"SIGNER_SOCKET is longer than the {LONGEST_SOCKET_PATH} bytes that a socket's path may have: {socket}"
        raise SettingsError(message)
    folder = Path(env.get("SIGNER_FOLDER") or home / "signer").resolve()
    token = _token(env) if holding or socket is None else None
    return SignerPlace(folder=folder, socket=socket, token=token)


def _token(env: Mapping[str, str]) -> TokenPlace | None:
    module = env.get("SIGNER_PKCS11_MODULE", "")
    if not module:
        return None
    token, pin = env.get("SIGNER_PKCS11_TOKEN", ""), read_secret(env, "SIGNER_PKCS11_PIN")
    if not token or not pin:
        message = "SIGNER_PKCS11_MODULE needs SIGNER_PKCS11_TOKEN and SIGNER_PKCS11_PIN (or SIGNER_PKCS11_PIN_FILE) beside it."
        raise SettingsError(message)
    return TokenPlace(
        module=module, token=token, pin=pin, key=env.get("SIGNER_PKCS11_KEY") or "countersign-ledger"
    )
