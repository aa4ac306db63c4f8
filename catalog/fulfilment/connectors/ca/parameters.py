"""What an order to the CA may say: each parameter read, checked, and refused in the requester's words."""

from __future__ import annotations

from catalog.fulfilment.connectors.ca import names
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.csr import CsrError, CsrFacts, read_csr
from catalog.fulfilment.connectors.ca.issuers import Issuer
from catalog.fulfilment.connectors.ca.profiles import PROFILES, Profile
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import every_language, say

USUAL_OVERLAP_DAYS = 14
LONGEST_OVERLAP_DAYS = 60


def checked_csr(pem: object) -> CsrFacts:
    """The request's facts. Raises a permanent ConnectorError in the words of CsrError."""
    try:
        return read_csr(pem if isinstance(pem, str) else "")
    except CsrError as error:
        raise ConnectorError(error.message, permanent=True) from error


def refuse_compromised(authority: CertificateAuthority, csr: CsrFacts) -> None:
    """Raises a permanent ConnectorError for a key that was given up as known to others."""
    for record in authority.records.of_public_key(csr.spki_sha256):
        revocation = authority.records.find_revocation(record.serial)
        if revocation and revocation.reason == "keyCompromise":
            message = say(
                "The key of this request was reported as known to others (certificate %(serial)s). "
                "Make a new key.",
                serial=record.serial,
            )
            raise ConnectorError(message, permanent=True)


def issuer_for(authority: CertificateAuthority, unit: object, csr: CsrFacts) -> Issuer:
    """The CA that issues for this unit. Raises a permanent ConnectorError for names beyond the unit's bounds."""
    if unit is not None and not isinstance(unit, str):
        raise ConnectorError(say("The unit of the order cannot be read."), permanent=True)
    issuer = authority.issuers.for_unit(unit or "")
    outside = issuer.bounds.outside(csr.names) if issuer.bounds else ()
    if issuer.bounds and outside:
        shown = every_language(lambda: ", ".join(names.shown(name) for name in outside))
        message = say(
            "Your unit may have certificates for names in %(allowed)s only, and %(names)s is outside. Make the request "
            "without it, or ask the unit that the name belongs to.",
            allowed=issuer.bounds.shown(),
            names=shown,
        )
        raise ConnectorError(message, permanent=True)
    return issuer


def known_certificate(authority: CertificateAuthority, serial: object) -> Issued:
    """The certificate with this serial, written in hex with or without colons."""
    text = str(serial or "").strip().lower().replace(":", "").removeprefix("0x").lstrip("0")
    record = authority.records.find_by_serial(text) if text else None
    if record is None:
        message = say(
            "This authority has issued no certificate with the serial number “%(serial)s”.",
            serial=str(serial or "")[:60],
        )
        raise ConnectorError(message, permanent=True)
    return record


def profile_of(name: object) -> Profile:
    """The profile of this name."""
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None:
        message = say(
            "There is no certificate profile “%(name)s”. Choose one of: %(profiles)s.",
            name=name,
            profiles=", ".join(PROFILES),
        )
        raise ConnectorError(message, permanent=True)
    return profile


def days_of(value: object, profile: Profile) -> int:
    """Whole days of validity; the profile's usual ones where nothing is said."""
    if value is None or value == "":
        return profile.usual_days
    text = str(value).strip()
    if (
        isinstance(value, bool)
        or not (text.isascii() and text.isdecimal())
        or not 1 <= int(text[:9]) <= profile.longest_days
    ):
        message = say(
            "A %(title)s is valid for 1 to %(most)s days; “%(given)s” is not in between.",
            title=say(profile.title),
            most=profile.longest_days,
            given=text[:20],
        )
        raise ConnectorError(message, permanent=True)
    return int(text)


def same_names(expected: object, csr: CsrFacts) -> None:
    """Raises a permanent ConnectorError unless the request holds exactly the names that were ordered, if any were."""
    given = expected.replace(",", " ").split() if isinstance(expected, str) else expected
    if not given:
        return
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        message = say("The names of the order cannot be read. Give one name after the other.")
        raise ConnectorError(message, permanent=True)
    try:
        ordered = {name.strip() if names.is_ip(name) else names.dns_name(name) for name in given}
    except CsrError as error:
        raise ConnectorError(error.message, permanent=True) from error
    held = set(csr.names)
    if ordered - held:
        message = say(
            "The certificate signing request does not hold %(names)s. "
            "Make it with that name, or order without.",
            names=", ".join(sorted(ordered - held)),
        )
        raise ConnectorError(message, permanent=True)
    if held - ordered:
        message = say(
            "The certificate signing request also holds %(names)s, which was not ordered.",
            names=", ".join(sorted(held - ordered)),
        )
        raise ConnectorError(message, permanent=True)


def overlap_of(value: object, validity_days: int) -> int:
    """Whole days that both certificates of a renewal stay valid."""
    if value is None or value == "":
        return min(USUAL_OVERLAP_DAYS, validity_days)
    text = str(value).strip()
    longest = min(LONGEST_OVERLAP_DAYS, validity_days)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()) or int(text[:9]) > longest:
        message = say(
            "Both certificates stay valid for 0 to %(most)s days; “%(given)s” is not in between.",
            most=longest,
            given=text[:20],
        )
        raise ConnectorError(message, permanent=True)
    return int(text)
