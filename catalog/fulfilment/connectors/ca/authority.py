"""The certificate authority: what its CAs signed, what was taken back, and what it says of each certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import creating, crl, ocsp, signing
from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.files import locked
from catalog.fulfilment.connectors.ca.issuers import GENERAL, Issuer, Issuers
from catalog.fulfilment.connectors.ca.key_files import KeyFiles, Keys
from catalog.fulfilment.connectors.ca.profiles import PROFILES
from catalog.fulfilment.connectors.ca.records import Issued, Records, Revoked
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core import times
from portal.core.language import every_language, say

#: A revocation stays listed this long after the certificate's end (RFC 5280 §3.3: on one list beyond it).
_LISTED_AFTER_END = timedelta(days=2)
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to be issued. `entitlement` is the identity under which only one may be live."""

    entitlement: str
    reference: str
    profile: str
    csr: CsrFacts
    validity_days: int


def system_time() -> datetime:
    """The machine's clock in UTC."""
    return datetime.now(UTC)


class CertificateAuthority:
    """A root and its issuing CAs in `folder`, whose public side is served under `base_url`/pki.

    Keys are files of the folder unless `keys` says where else they lie. The root's key is read by no code after the
    issuing CAs are made; an operator may take it away. Methods raise ConnectorError, and OSError when the folder
    cannot be read or written.
    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        name: str = "Countersign",
        now: Callable[[], datetime] = system_time,
        keys: Keys | None = None,
    ) -> None:
        self.folder = folder
        self.name = name
        self.keys = keys or KeyFiles(folder)
        self.records = Records(folder)
        self.issuers = Issuers(folder, base_url, self.keys)
        self._now = now

    def create_if_missing(self) -> None:
        """Make keys and certificates once, whoever calls first; a half-made authority is made anew."""
        creating.create_if_missing(self)

    def create_unit(self, slug: str, bounds: Bounds, also: frozenset[str] = frozenset()) -> Issuer:
        """Make the unit's own issuing CA within its bounds, or renew it with these; the root's key signs it.

        It issues for the unit, and for the units in `also`. Raises ConnectorError.
        """
        return creating.create_unit(self, slug, bounds, also | {slug})

    @cached_property
    def root(self) -> x509.Certificate:
        """The root's certificate."""
        return x509.load_pem_x509_certificate((self.folder / "root.crt").read_bytes())

    @property
    def issuing(self) -> x509.Certificate:
        """The general issuing CA's certificate."""
        return self.issuers.get(GENERAL).certificate

    def now(self) -> datetime:
        """The time by this authority's clock."""
        return self._now()

    def issue(self, key: str, wanted: Wanted, unit: str = "") -> Issued:
        """Issue once for this idempotency key; a second call answers with the same certificate.

        Where another key has issued the same entitlement and it is still valid, that certificate is the answer.
        """
        with locked(self.folder / "lock"):
            record = self.records.find_by_key(key)
            if record is None:
                record = self.find_valid(wanted.entitlement) or self._sign(
                    wanted, self.issuers.for_unit(unit)
                )
                # The rename of this one file is the moment of issue: before it, nothing has happened.
                self.records.add(key, record)
        if record.entitlement != wanted.entitlement:
            message = say(
                "This step has already issued another certificate (%(serial)s). Order it anew.",
                serial=record.serial,
            )
            raise ConnectorError(message, permanent=True)
        return record

    def find_valid(self, entitlement: str) -> Issued | None:
        """The certificate of this entitlement that is neither at its end nor revoked."""
        now = self._now()
        every = self.records.of_entitlement(entitlement)
        return next((r for r in every if r.not_after > now and self.revocation_of(r.serial) is None), None)

    def valid(self) -> list[Issued]:
        """All certificates that are neither at their end nor revoked."""
        now = self._now()
        revoked = {revocation.serial for revocation in self._revocations()}
        return [r for r in self.records.every() if r.not_after > now and r.serial not in revoked]

    def revocation_of(self, serial: str) -> Revoked | None:
        """The certificate's revocation, ordered or arranged ahead and come to pass."""
        revocation = self.records.find_revocation(serial)
        if revocation is None:
            end = self.records.find_end(serial)
            return end if end is not None and end.at <= self._now() else None
        return revocation

    def revoke(self, record: Issued, reason: str) -> Revoked:
        """Revoke and publish; a certificate that is revoked already keeps its first reason and time."""
        with locked(self.folder / "lock"):
            revocation = self.revocation_of(record.serial)
            if revocation is None:
                revocation = Revoked(record.serial, reason, self._now().replace(microsecond=0))
                self.records.revoke(revocation)
        self.crl(record.issuer)
        return revocation

    def end_later(self, record: Issued, at: datetime) -> Revoked:
        """Have the certificate revoked as superseded from `at` on, by the clock alone; the earliest such time counts."""
        end = Revoked(record.serial, SUPERSEDED, at.replace(microsecond=0))
        with locked(self.folder / "lock"):
            known = self.records.find_end(record.serial)
            if known is not None and known.at <= end.at:
                return known
            self.records.arrange_end(end)
        return end

    def keep_on(self, record: Issued) -> None:
        """Take back what `end_later` arranged, unless it has come to pass."""
        with locked(self.folder / "lock"):
            end = self.records.find_end(record.serial)
            if end is not None and end.at > self._now():
                self.records.withdraw_end(record.serial)

    def crl(self, unit: str = GENERAL) -> bytes:
        """A CA's revocation list in DER, made anew when it changed or has less than 6 of its 24 hours left."""
        issuer = self.issuers.get(unit)
        kept = crl.read_crl(issuer.list_file)
        if kept and kept.holds([item.serial for item in self._listed(unit)], self._now()):
            return kept.der
        with locked(self.folder / "lock"):
            kept, listed = crl.read_crl(issuer.list_file), self._listed(unit)
            if kept and kept.holds([item.serial for item in listed], self._now()):
                return kept.der
            made = crl.make_crl(listed, kept, issuer, self._now())
            crl.write_crl(issuer.list_file, made)
            return made.der

    def ocsp_response(self, request: bytes) -> bytes:
        """The DER answer to a DER OCSP request, by the CA that it asks about."""
        return ocsp.answer(request, self._state, self.issuers.every(), self._now())

    def _state(self, issuer: Issuer, serial: str) -> ocsp.State:
        issued = self.records.find_by_serial(serial)
        if issued is not None and issued.issuer != issuer.slug:
            return ocsp.State()
        revoked = self.revocation_of(serial)
        end = None if revoked else self.records.find_end(serial)
        return ocsp.State(issued, revoked, end.at if end else None)

    def _revocations(self) -> list[Revoked]:
        now = self._now()
        come = {end.serial: end for end in self.records.ends() if end.at <= now}
        ordered = {revocation.serial: revocation for revocation in self.records.revocations()}
        return [*(come | ordered).values()]

    def _listed(self, unit: str) -> list[Revoked]:
        oldest = self._now() - _LISTED_AFTER_END
        elsewhere = {r.serial for r in self.records.every() if r.not_after < oldest or r.issuer != unit}
        listed = [revocation for revocation in self._revocations() if revocation.serial not in elsewhere]
        return sorted(listed, key=lambda revocation: revocation.serial)

    def _sign(self, wanted: Wanted, issuer: Issuer) -> Issued:
        now = self._now()
        end = issuer.certificate.not_valid_after_utc
        if now + timedelta(days=wanted.validity_days) > end:
            message = say(
                "The issuing CA itself ends on %(day)s. Order fewer days, or have an operator renew it.",
                day=every_language(lambda: times.day(end)),
            )
            raise ConnectorError(message, permanent=True)
        certificate = signing.server_certificate(
            wanted.csr, PROFILES[wanted.profile], wanted.validity_days, issuer=issuer, now=now
        )
        return Issued(
            serial=f"{certificate.serial_number:x}",
            entitlement=wanted.entitlement,
            reference=wanted.reference,
            profile=wanted.profile,
            names=wanted.csr.names,
            spki_sha256=wanted.csr.spki_sha256,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            certificate=certificate.public_bytes(Encoding.PEM).decode("ascii"),
            issuer=issuer.slug,
        )
