"""The certificate authority: two keys in a folder, what they signed, and what was taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from catalog.fulfilment.connectors.ca import crl, ocsp, signing
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.files import OWNER_ONLY, READABLE, locked, write_whole
from catalog.fulfilment.connectors.ca.profiles import PROFILES
from catalog.fulfilment.connectors.ca.records import Issued, Records, Revoked
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core import times
from portal.core.language import every_language, say

#: A revocation stays listed this long after the certificate's end (RFC 5280 §3.3: on one list beyond it).
_LISTED_AFTER_END = timedelta(days=2)


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
    """A root and an issuing CA in `folder`, whose public side is served under `base_url`/pki.

    The root's key is read by no code after the issuing CA is made; an operator may take it out of the folder.
    Methods raise ConnectorError, and OSError when the folder cannot be read or written.
    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        name: str = "Countersign",
        now: Callable[[], datetime] = system_time,
    ) -> None:
        self.folder = folder
        self.records = Records(folder)
        self._places = signing.Places.under(base_url)
        self._name = name
        self._now = now

    def create_if_missing(self) -> None:
        """Make keys and certificates once, whoever calls first; a half-made authority is made anew."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            if (self.folder / "issuing.crt").exists():
                return
            self.records.make_folders()
            if self.records.every():
                message = say(
                    "%(folder)s holds issued certificates but not the authority's own. "
                    "An operator must restore the folder from a backup.",
                    folder=self.folder,
                )
                raise ConnectorError(message, permanent=True)
            now = self._now()
            root_key, issuing_key = (
                ec.generate_private_key(ec.SECP384R1()),
                ec.generate_private_key(ec.SECP256R1()),
            )
            root = signing.root_certificate(self._name, root_key, now)
            issuing = signing.issuing_certificate(
                self._name,
                issuing_key.public_key(),
                root=root,
                root_key=root_key,
                places=self._places,
                now=now,
            )
            # issuing.crt comes last: while it is missing, nothing was signed for anybody.
            for name, content, mode in (
                ("root.key", _private(root_key), OWNER_ONLY),
                ("root.crt", root.public_bytes(Encoding.PEM), READABLE),
                ("issuing.key", _private(issuing_key), OWNER_ONLY),
                ("issuing.crt", issuing.public_bytes(Encoding.PEM), READABLE),
            ):
                write_whole(self.folder / name, content, mode=mode)

    @cached_property
    def root(self) -> x509.Certificate:
        """The root's certificate."""
        return self._certificate("root.crt")

    @cached_property
    def issuing(self) -> x509.Certificate:
        """The issuing CA's certificate."""
        return self._certificate("issuing.crt")

    def now(self) -> datetime:
        """The time by this authority's clock."""
        return self._now()

    def issue(self, key: str, wanted: Wanted) -> Issued:
        """Issue once for this idempotency key; a second call answers with the same certificate.

        Where another key has issued the same entitlement and it is still valid, that certificate is the answer.
        """
        with locked(self.folder / "lock"):
            record = self.records.find_by_key(key)
            if record is None:
                record = self.find_valid(wanted.entitlement) or self._sign(wanted)
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
        return next((record for record in self.valid() if record.entitlement == entitlement), None)

    def valid(self) -> list[Issued]:
        """All certificates that are neither at their end nor revoked."""
        now = self._now()
        revoked = {revocation.serial for revocation in self.records.revocations()}
        return [r for r in self.records.every() if r.not_after > now and r.serial not in revoked]

    def revoke(self, record: Issued, reason: str) -> Revoked:
        """Revoke and publish; a certificate that is revoked already keeps its first reason and time."""
        with locked(self.folder / "lock"):
            revocation = self.records.find_revocation(record.serial)
            if revocation is None:
                revocation = Revoked(record.serial, reason, self._now().replace(microsecond=0))
                self.records.revoke(revocation)
        self.crl()
        return revocation

    def crl(self) -> bytes:
        """The current revocation list in DER, made anew when it changed or has less than 6 of its 24 hours left."""
        kept = crl.read_crl(self.folder / "crl.json")
        if kept and kept.holds([item.serial for item in self._listed()], self._now()):
            return kept.der
        with locked(self.folder / "lock"):
            kept, listed = crl.read_crl(self.folder / "crl.json"), self._listed()
            if kept and kept.holds([item.serial for item in listed], self._now()):
                return kept.der
            made = crl.make_crl(listed, kept, self.issuing, self._issuing_key, self._now())
            crl.write_crl(self.folder / "crl.json", made)
            return made.der

    def ocsp_response(self, request: bytes) -> bytes:
        """The DER answer to a DER OCSP request."""
        return ocsp.answer(request, self._state, self.issuing, self._issuing_key, self._now())

    def _state(self, serial: str) -> tuple[Issued | None, Revoked | None]:
        return self.records.find_by_serial(serial), self.records.find_revocation(serial)

    def _listed(self) -> list[Revoked]:
        oldest = self._now() - _LISTED_AFTER_END
        ended = {record.serial for record in self.records.every() if record.not_after < oldest}
        return [revocation for revocation in self.records.revocations() if revocation.serial not in ended]

    def _sign(self, wanted: Wanted) -> Issued:
        now = self._now()
        if now + timedelta(days=wanted.validity_days) > self.issuing.not_valid_after_utc:
            end = self.issuing.not_valid_after_utc
            message = say(
                "The issuing CA itself ends on %(day)s. Order fewer days, or have an operator renew it.",
                day=every_language(lambda: times.day(end)),
            )
            raise ConnectorError(message, permanent=True)
        certificate = signing.server_certificate(
            wanted.csr,
            PROFILES[wanted.profile],
            wanted.validity_days,
            issuer=self.issuing,
            issuer_key=self._issuing_key,
            places=self._places,
            now=now,
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
        )

    @cached_property
    def _issuing_key(self) -> ec.EllipticCurvePrivateKey:
        file = self.folder / "issuing.key"
        if file.stat().st_mode & 0o077:
            message = say(
                "%(file)s can be read by other users of this machine. An operator must run: chmod 600 %(file)s",
                file=file,
            )
            raise ConnectorError(message, permanent=True)
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self.issuing.public_key():
            message = say(
                "%(file)s is not the key of issuing.crt. An operator must restore the folder from a backup.",
                file=file,
            )
            raise ConnectorError(message, permanent=True)
        return key

    def _certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / name).read_bytes())


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
