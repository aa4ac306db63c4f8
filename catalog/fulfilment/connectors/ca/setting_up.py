"""The authority that the settings describe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from catalog.fulfilment.connectors.ca.authority import CertificateAuthority, system_time
from catalog.fulfilment.connectors.ca.token import Token, TokenPlace
from catalog.fulfilment.connectors.ca.token_keys import TokenKeys
from portal.core.settings import Settings


def authority_of(settings: Settings, *, now: Callable[[], datetime] = system_time) -> CertificateAuthority:
    """The authority, its keys in files or in the token that the settings name. Touches neither."""
    keys = None
    if settings.ca_pkcs11_module:
        place = TokenPlace(
            module=settings.ca_pkcs11_module,
            token=settings.ca_pkcs11_token,
            pin=settings.ca_pkcs11_pin,
            key=settings.ca_pkcs11_key,
        )
        keys = TokenKeys(Token(place))
    return CertificateAuthority(settings.ca_folder, settings.public_url, now=now, keys=keys)


def ready_authority(settings: Settings) -> CertificateAuthority:
    """The authority, made where it is missing; in a token it is made by an operator's command and by nothing else."""
    authority = authority_of(settings)
    if not settings.ca_pkcs11_module:
        authority.create_if_missing()
    return authority
