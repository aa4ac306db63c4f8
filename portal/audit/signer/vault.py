"""Where the signer's private keys are: in files that only its account may read, or in a PKCS#11 token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.audit.keys import load_key, load_or_create_key
from portal.audit.signer.refusals import Unready
from portal.core.errors import SettingsError
from portal.core.signer_place import SignerPlace
from portal.core.token import Token, TokenError, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs11 import Session

T = TypeVar("T")
#: RFC 8410: id-Ed25519, in DER; PKCS#11 v3.0 §2.3.7 takes it as the curve's parameters.
_ED25519 = b"\x06\x03\x2b\x65\x70"
_RAW_KEY = 32


class SigningKey(Protocol):
    """Signs, and shows its public half."""

    def public_key(self) -> Ed25519PublicKey:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032). Raises Unready."""


class Vault(Protocol):
    """Keys by number: 1 is the first, and each rotation makes the next."""

    #: Whether a first key is made when there is none, or only by an operator's command.
    makes_the_first: bool

    def has(self, number: int) -> bool:
        """Whether the key is there. Raises Unready."""

    def make(self, number: int) -> SigningKey:
        """The key; made where there is none. Raises Unready."""

    def load(self, number: int) -> SigningKey:
        """The key. Raises Unready."""

    def destroy(self, number: int) -> None:
        """Delete the private key, if it is there. Raises Unready."""


def vault_of(place: SignerPlace) -> Vault:
    """The vault that the settings name. Touches nothing."""
    return TokenVault(Token(place.token)) if place.token else FileVault(place.folder)


class FileVault:
    """`ledger.pem`, `ledger-2.pem` … in the signer's folder."""

    makes_the_first = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, number: int) -> bool:
        """Whether the key is there. Raises Unready."""
        return self._file(number).exists()

    def make(self, number: int) -> SigningKey:
        """The key; made where there is none. Raises Unready."""
        return self._read(number, load_or_create_key)

    def load(self, number: int) -> SigningKey:
        """The key. Raises Unready."""
        return self._read(number, load_key)

    def _read(self, number: int, read: Callable[[Path], Ed25519PrivateKey]) -> SigningKey:
        try:
            return read(self._file(number))
        except SettingsError as error:
            raise Unready(str(error)) from error
        except OSError as error:
            message = f"The signing key {self._file(number)} cannot be read: {error.strerror}."
            raise Unready(message) from error

    def destroy(self, number: int) -> None:
        """Delete the private key, if it is there. Raises Unready."""
        self._file(number).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self._folder / ("ledger.pem" if number == 1 else f"ledger-{number}.pem")


class TokenVault:
    """Keys in the token under the label that the settings name, the later ones with their number behind it."""

    makes_the_first = False

    def __init__(self, token: Token) -> None:
        self._token = token

    def has(self, number: int) -> bool:
        """Whether the key is there. Raises Unready."""
        label = self._label(number)
        try:
            self._do(lambda session: _find(session, label, private=True))
        except _NoKey:
            return False
        return True

    def make(self, number: int) -> SigningKey:
        """The key; made where there is none. Raises Unready."""
        if not self.has(number):
            label = self._label(number)
            self._do(lambda session: _generate(session, label))
        return self.load(number)

    def load(self, number: int) -> SigningKey:
        """The key. Raises Unready."""
        label = self._label(number)
        raw, leaves = self._do(lambda session: _read(session, label))
        if leaves:
            message = (
                f"The key “{label}” in the token “{self._token.place.token}” can be taken out of it, so it is not used. "
                "Make one that cannot: countersign signer --create"
            )
            raise Unready(message)
        return _TokenKey(self, label, Ed25519PublicKey.from_public_bytes(raw))

    def destroy(self, number: int) -> None:
        """Delete the private key, if it is there. Raises Unready."""
        label = self._label(number)
        self._do(lambda session: _destroy(session, label))

    def sign(self, label: str, data: bytes) -> bytes:
        """Sign in the token."""
        return self._do(lambda session: _sign(session, label, data))

    def _label(self, number: int) -> str:
        return self._token.place.key if number == 1 else f"{self._token.place.key}-{number}"

    def _do(self, act: Callable[[Session], T]) -> T:
        try:
            return self._token.do(act)
        except TokenError as error:
            raise self._told(error) from error

    def _told(self, error: TokenError) -> Unready:
        token = self._token.place.token
        if error.trouble is Trouble.NO_LIBRARY:
            return Unready(
                "The ledger's key is in a token, but the library for tokens is missing; install: countersign[pkcs11]"
            )
        if error.trouble is Trouble.PIN:
            return Unready(
                f"The token “{token}” refuses the PIN. Set SIGNER_PKCS11_PIN and start the signer anew; "
                "it is not tried again, so that the token does not lock itself."
            )
        if error.trouble is Trouble.NO_KEY:
            return _NoKey(
                f"The token “{token}” holds no key “{error.words}”. Make it: countersign signer --create"
            )
        return Unready(f"The token “{token}” with the ledger's key does not answer ({error.words}).")


class _NoKey(Unready):
    """The token answers, but holds no such key."""


class _TokenKey:
    def __init__(self, vault: TokenVault, label: str, public: Ed25519PublicKey) -> None:
        self._vault, self._label, self._public = vault, label, public

    def public_key(self) -> Ed25519PublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        signature = self._vault.sign(self._label, data)
        try:
            self._public.verify(signature, data)
        except InvalidSignature as error:
            raise Unready("The token gave a signature that does not hold.") from error
        return signature


def _find(session: Session, label: str, *, private: bool) -> Any:
    from pkcs11 import KeyType, NoSuchKey, ObjectClass  # noqa: PLC0415  (an extra)

    wanted = ObjectClass.PRIVATE_KEY if private else ObjectClass.PUBLIC_KEY
    try:
        return session.get_key(object_class=wanted, key_type=KeyType.EC_EDWARDS, label=label)
    except NoSuchKey as error:
        raise NoSuchKey(label) from error


def _generate(session: Session, label: str) -> None:
    from pkcs11 import Attribute, KeyType, Mechanism  # noqa: PLC0415

    parameters: Any = session.create_domain_parameters(
        KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True
    )
    parameters.generate_keypair(
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
        label=label,
        id=label.encode(),
        store=True,
        private_template={
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.SIGN: True,
            Attribute.DERIVE: False,
        },
        public_template={Attribute.VERIFY: True, Attribute.DERIVE: False},
    )


def _read(session: Session, label: str) -> tuple[bytes, bool]:
    from pkcs11 import Attribute  # noqa: PLC0415

    private = _find(session, label, private=True)
    # The point is an OCTET STRING around the raw key (PKCS#11 v3.0 §2.3.5); some tokens leave the wrapping out.
    raw = bytes(_find(session, label, private=False)[Attribute.EC_POINT])[-_RAW_KEY:]
    return raw, bool(private[Attribute.EXTRACTABLE]) or not private[Attribute.SENSITIVE]


def _sign(session: Session, label: str, data: bytes) -> bytes:
    from pkcs11 import Mechanism  # noqa: PLC0415

    return bytes(_find(session, label, private=True).sign(data, mechanism=Mechanism.EDDSA))


def _destroy(session: Session, label: str) -> None:
    from pkcs11 import Attribute  # noqa: PLC0415

    for found in list(session.get_objects({Attribute.LABEL: label})):
        found.destroy()
