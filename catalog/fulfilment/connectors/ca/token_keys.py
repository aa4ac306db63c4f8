"""The authority's keys in a PKCS#11 token: made there, used there, and never to be taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from catalog.fulfilment.connectors.ca.key_files import ISSUING
from catalog.fulfilment.connectors.ca.token import Token
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

if TYPE_CHECKING:
    from pkcs11 import Session


class TokenKey(ec.EllipticCurvePrivateKey):
    """A key that signs in its token; of the key itself there is only the public half here.

    `cryptography` signs certificates, lists and answers with whatever keeps this interface.
    """

    def __init__(self, token: Token, label: str, public: ec.EllipticCurvePublicKey) -> None:
        self._token, self._label, self._public = token, label, public

    @property
    def curve(self) -> ec.EllipticCurve:
        """The public key's."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """The signature in DER. Raises ConnectorError, also where the token signed something else."""
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, utils.Prehashed):
            digest = bytes(data)
        else:
            hasher = hashes.Hash(algorithm)
            hasher.update(data)
            digest = hasher.finalize()
        return self._token.do(lambda session: _sign(session, self._label, digest))

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Never: the key signs and does nothing else."""
        raise _stays()

    def private_numbers(self) -> NoReturn:
        """Never."""
        raise _stays()

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        """Never."""
        raise _stays()

    def __copy__(self) -> TokenKey:
        return self

    def __deepcopy__(self, _: object) -> TokenKey:
        return self


class TokenKeys:
    """Keys by label: the issuing CA's has the one that the settings name, the others the same with an ending."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def make(self, name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        """The key of this name; made in the token, sensitive and not extractable, where there is none."""
        label = self._label(name)
        self._token.do(lambda session: _make(session, label, curve))
        return self.load(name)

    def load(self, name: str) -> ec.EllipticCurvePrivateKey:
        """The key. Raises ConnectorError, a permanent one for a key that could be taken out of the token."""
        label = self._label(name)
        public, leaves = self._token.do(lambda session: _read(session, label))
        if leaves:
            message = say(
                "The key “%(key)s” in the token “%(token)s” can be taken out of it, so it is not used. "
                "An operator must make one that cannot: countersign ca create",
                key=label,
                token=self._token.place.token,
            )
            raise ConnectorError(message, permanent=True)
        return TokenKey(self._token, label, public)

    def described(self, name: str) -> str:
        """The token and the key's label."""
        return f"key {self._label(name)!r} in token {self._token.place.token!r}"

    def _label(self, name: str) -> str:
        first = self._token.place.key
        return first if name == ISSUING else f"{first}-{name.removesuffix(f'/{ISSUING}').replace('/', '-')}"


def _sign(session: Session, label: str, digest: bytes) -> bytes:
    from pkcs11 import Mechanism  # noqa: PLC0415  (an extra)
    from pkcs11.util.ec import encode_ecdsa_signature  # noqa: PLC0415

    key: Any = _find(session, label, private=True)
    return bytes(encode_ecdsa_signature(key.sign(digest, mechanism=Mechanism.ECDSA)))


def _make(session: Session, label: str, curve: ec.EllipticCurve) -> None:
    from pkcs11 import Attribute, KeyType, NoSuchKey  # noqa: PLC0415
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    try:
        _find(session, label, private=True)
    except NoSuchKey:
        parameters: Any = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve.name)}, local=True
        )
        parameters.generate_keypair(
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


def _read(session: Session, label: str) -> tuple[ec.EllipticCurvePublicKey, bool]:
    from pkcs11 import Attribute  # noqa: PLC0415
    from pkcs11.util.ec import encode_ec_public_key  # noqa: PLC0415

    private: Any = _find(session, label, private=True)
    public = load_der_public_key(encode_ec_public_key(cast("Any", _find(session, label, private=False))))
    leaves = bool(private[Attribute.EXTRACTABLE]) or not private[Attribute.SENSITIVE]
    return cast("ec.EllipticCurvePublicKey", public), leaves


def _find(session: Session, label: str, *, private: bool) -> object:
    from pkcs11 import KeyType, NoSuchKey, ObjectClass  # noqa: PLC0415

    wanted = ObjectClass.PRIVATE_KEY if private else ObjectClass.PUBLIC_KEY
    try:
        return session.get_key(object_class=wanted, key_type=KeyType.EC, label=label)
    except NoSuchKey as error:
        raise NoSuchKey(label) from error


def _stays() -> ConnectorError:
    return ConnectorError(say("The authority's key stays in its token."), permanent=True)
