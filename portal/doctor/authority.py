"""The certificate authorities: whether the built-in one has its key, and whether the external one answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from catalog.fulfilment.connectors.ca.issuers import Issuer
from catalog.fulfilment.connectors.ca.setting_up import authority_of
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn

#: A CA that ends this soon cannot issue for as long as people order.
_SOON = timedelta(days=200)


def check_authorities(settings: Settings) -> Iterator[Check]:
    """A line for each issuing CA, and one for the external authority where there is one. Changes nothing."""
    authority = authority_of(settings)
    if (settings.ca_folder / "issuing.crt").exists():
        try:
            issuers = authority.issuers.every()
        except (ConnectorError, OSError, ValueError) as error:
            yield fail("Certificate authority", str(error), "Restore its folder from a backup.")
        else:
            for issuer in issuers:
                yield _issuer(issuer, "key in a token" if settings.ca_pkcs11_module else "key in a file")
    elif settings.ca_pkcs11_module:
        yield fail(
            "Certificate authority", "it is not made yet; its keys belong in a token", "countersign ca create"
        )
    if settings.acme_directory and settings.builds("acme"):
        yield _acme(settings)


def _issuer(issuer: Issuer, where: str) -> Check:
    name = f"Certificate authority {issuer.slug}".strip()
    try:
        end = issuer.certificate.not_valid_after_utc
        issuer.key.public_key()  # the key is read, and compared with the certificate
    except ConnectorError as error:
        return fail(name, str(error.message), "Nothing is issued, listed or answered until this is mended.")
    except (OSError, ValueError) as error:
        return fail(name, f"its folder cannot be read: {error}", "Restore it from a backup.")
    found = f"{issuer.title}, until {end:%Y-%m-%d}, {where}"
    if end < datetime.now(UTC) + _SOON:
        mend = (
            f"countersign ca unit {issuer.slug} …"
            if issuer.slug
            else "Have a new authority made in good time."
        )
        return warn(name, found, mend)
    return ok(name, found)


def _acme(settings: Settings) -> Check:
    from catalog.fulfilment.connectors.acme.place import AcmePlace  # noqa: PLC0415  (slow to import, and rare)
    from catalog.fulfilment.connectors.acme.server import Server  # noqa: PLC0415
    from catalog.fulfilment.connectors.acme.trouble import told  # noqa: PLC0415

    place = AcmePlace(
        directory=settings.acme_directory,
        folder=settings.acme_folder,
        ca_file=settings.acme_ca_file,
        timeout=5.0,
    )
    try:
        with told(place.host):
            binding = Server.reached(place).external_account_required()
    except ConnectorError as error:
        return fail("ACME authority", str(error.message), "Check ACME_DIRECTORY and ACME_CA_FILE.")
    if binding and not settings.acme_eab_kid and not (place.home / "account.json").exists():
        return fail(
            "ACME authority", "it takes only accounts that it knows", "Set ACME_EAB_KID and ACME_EAB_KEY."
        )
    account = "the account is there" if place.home.exists() else "the first order makes the account"
    return ok("ACME authority", f"{place.host} answers; {account}")
