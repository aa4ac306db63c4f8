"""Making the authority: the root, the general issuing CA, and the CAs of units. Each happens once, or by command."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import signing
from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.files import READABLE, locked, write_whole
from catalog.fulfilment.connectors.ca.issuers import GENERAL, Issuer
from catalog.fulfilment.connectors.ca.key_files import ROOT
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.ca.authority import CertificateAuthority


def create_if_missing(authority: CertificateAuthority) -> None:
    """Make keys and certificates where there are none. Raises ConnectorError where only certificates were lost."""
    folder, name, now = authority.folder, authority.name, authority.now()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if (folder / "issuing.crt").exists():
            return
        authority.records.make_folders()
        if authority.records.every():
            message = say(
                "%(folder)s holds issued certificates but not the authority's own. "
                "An operator must restore the folder from a backup.",
                folder=folder,
            )
            raise ConnectorError(message, permanent=True)
        issuer = authority.issuers.at(GENERAL)
        root_key = issuer.keys.make(ROOT, ec.SECP384R1())
        root = signing.root_certificate(name, root_key, now)
        write_whole(folder / "root.crt", root.public_bytes(Encoding.PEM), mode=READABLE)
        key = issuer.keys.make(issuer.key_name, ec.SECP256R1())
        issuing = signing.issuing_certificate(
            name, key.public_key(), root=root, root_key=root_key, places=issuer.places, now=now
        )
        # It comes last: while it is missing, nothing was signed for anybody.
        write_whole(folder / "issuing.crt", issuing.public_bytes(Encoding.PEM), mode=READABLE)


def create_unit(authority: CertificateAuthority, slug: str, bounds: Bounds, serves: frozenset[str]) -> Issuer:
    """Make or renew the unit's CA; renewed, it keeps its key, so that what it issued stays valid."""
    folder, issuers = authority.folder, authority.issuers
    issuer = issuers.at(slug)
    for unit in serves:
        issuers.at(unit)
    with locked(folder / "lock"):
        taken = {unit: of for unit, of in issuers.served().items() if unit in serves and of != slug}
        if taken:
            unit, of = min(taken.items())
            message = say("The unit %(unit)s goes to the CA of %(other)s already.", unit=unit, other=of)
            raise ConnectorError(message, permanent=True)
        root_key = _root_key(issuer)
        issuer.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made_before = (issuer.folder / "issuing.crt").exists()
        key = (
            issuer.keys.load(issuer.key_name)
            if made_before
            else issuer.keys.make(issuer.key_name, ec.SECP256R1())
        )
        certificate = signing.issuing_certificate(
            authority.name,
            key.public_key(),
            root=authority.root,
            root_key=root_key,
            places=issuer.places,
            now=authority.now(),
            unit=slug,
            bounds=bounds,
        )
        write_whole(issuer.folder / "issuing.crt", certificate.public_bytes(Encoding.PEM), mode=READABLE)
        # Only now is the CA used.
        issuers.serve(slug, set(serves))
    return issuers.get(slug)


def _root_key(issuer: Issuer) -> ec.EllipticCurvePrivateKey:
    with contextlib.suppress(FileNotFoundError):
        return issuer.keys.load(ROOT)
    message = say(
        "The root's key is not there (%(place)s). Put it back for as long as this takes.",
        place=issuer.keys.described(ROOT),
    )
    raise ConnectorError(message, permanent=True)
