"""The SSH authority: one key in a folder, what it signed, and the list of what was taken back.

Servers trust `ca.pub` (sshd_config: TrustedUserCAKeys) and read `revoked.krl` (RevokedKeys), which the portal also
serves under /pki/ssh. A certificate ends by itself; the list is for what must end earlier.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
)

from catalog.fulfilment.connectors.ca.files import OWNER_ONLY, READABLE, locked, write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.ssh.keys import SshKey
from catalog.fulfilment.connectors.ssh.records import Records, Signed
from portal.core.language import say

#: Clocks of servers run a little apart.
_BACKDATED = timedelta(minutes=1)
#: An expired certificate stays listed a while, for servers whose clock is behind.
_LISTED_AFTER_END = timedelta(days=1)
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to be signed; `until` is aware UTC, addresses are CIDR."""

    entitlement: str
    reference: str
    key: SshKey
    key_id: str
    principals: tuple[str, ...]
    source_addresses: tuple[str, ...]
    forced_command: str
    until: datetime


def system_time() -> datetime:
    """The machine's clock in UTC."""
    return datetime.now(UTC)


class SshAuthority:
    """Signs users' keys. Methods raise ConnectorError, and OSError when the folder cannot be used."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = system_time) -> None:
        self.folder = folder
        self.records = Records(folder)
        self._now = now

    @property
    def public_file(self) -> Path:
        """The public key that servers trust."""
        return self.folder / "ca.pub"

    @property
    def krl_file(self) -> Path:
        """The list of what was taken back."""
        return self.folder / "revoked.krl"

    def now(self) -> datetime:
        """The authority's time in UTC."""
        return self._now()

    def create_if_missing(self) -> None:
        """Make the key and an empty list once, whoever calls first."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            self.records.make_folders()
            if not self.public_file.exists():
                if self.records.every():
                    message = say(
                        "%(folder)s holds signed certificates but not the authority's own key. "
                        "An operator must restore the folder from a backup.",
                        folder=str(self.folder),
                    )
                    raise ConnectorError(message, permanent=True)
                key = ed25519.Ed25519PrivateKey.generate()
                private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
                public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
                write_whole(self.folder / "ca.key", private, mode=OWNER_ONLY)
                write_whole(self.public_file, public + b" countersign\n", mode=READABLE)
            if not self.krl_file.exists():
                self._write_krl()

    def sign(self, key: str, wanted: Wanted) -> Signed:
        """The certificate of this idempotency key; a second call gives the first one's."""
        with locked(self.folder / "lock"):
            kept = self.records.find(key) or self.find_valid(wanted.entitlement)
            if kept is not None:
                return kept
            if wanted.until <= self._now():
                raise ConnectorError(say("The time that was asked for is over. Ask again."), permanent=True)
            record = self._sign(wanted)
            self.records.add(key, record)
            return record

    def revoke(self, record: Signed) -> None:
        """Take a certificate back: it is on the list before this returns. A second time changes nothing."""
        with locked(self.folder / "lock"):
            self.records.revoke(record.serial, self._now())
            self._write_krl()

    def state_of(self, record: Signed) -> str:
        """`valid`, `revoked` or `expired`."""
        if self.records.is_revoked(record.serial):
            return "revoked"
        return "valid" if record.valid_before > self._now() else "expired"

    def valid(self) -> list[Signed]:
        """Every certificate that lets somebody in now."""
        return [record for record in self.records.every() if self.state_of(record) == "valid"]

    def find_valid(self, entitlement: str) -> Signed | None:
        """The one under this identity, if it lives."""
        return next((record for record in self.valid() if record.entitlement == entitlement), None)

    def _sign(self, wanted: Wanted) -> Signed:
        # sshd compares whole seconds.
        after = (self._now() - _BACKDATED).replace(microsecond=0)
        serial = secrets.randbits(63)
        builder = (
            SSHCertificateBuilder()
            .public_key(wanted.key.public_key())
            .serial(serial)
            .type(SSHCertificateType.USER)
            .key_id(wanted.key_id.encode())
            .valid_principals([principal.encode() for principal in wanted.principals])
            .valid_after(int(after.timestamp()))
            .valid_before(int(wanted.until.timestamp()))
            .add_extension(b"permit-pty", b"")
        )
        if wanted.source_addresses:
            builder = builder.add_critical_option(
                b"source-address", ",".join(wanted.source_addresses).encode()
            )
        if wanted.forced_command:
            builder = builder.add_critical_option(b"force-command", wanted.forced_command.encode())
        private = load_ssh_private_key((self.folder / "ca.key").read_bytes(), None)
        if not isinstance(private, ed25519.Ed25519PrivateKey):
            raise ConnectorError(say("The SSH authority's key is not the one that it made."), permanent=True)
        return Signed(
            serial=serial,
            entitlement=wanted.entitlement,
            reference=wanted.reference,
            key_id=wanted.key_id,
            fingerprint=wanted.key.fingerprint,
            principals=wanted.principals,
            valid_after=after,
            valid_before=wanted.until,
            certificate=builder.sign(private).public_bytes().decode("ascii"),
        )

    def _write_krl(self) -> None:
        """ssh-keygen makes the list anew (ssh-keygen(1), KEY REVOCATION LISTS) from all that still matters."""
        listed = [
            record.serial
            for record in self.records.every()
            if self.records.is_revoked(record.serial)
            and record.valid_before + _LISTED_AFTER_END > self._now()
        ]
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".krl-") as made:
            words = Path(made) / "words"
            words.write_text("".join(f"serial: {serial}\n" for serial in listed), encoding="ascii")
            # Rising with time: a server may refuse an older list than the one that it has.
            version = str(int(self._now().timestamp() * 1000))
            krl = Path(made) / "krl"
            command = [
                "ssh-keygen",
                "-q",
                "-k",
                "-f",
                str(krl),
                "-s",
                str(self.public_file),
                "-z",
                version,
                str(words),
            ]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
            except FileNotFoundError:
                message = say(
                    "ssh-keygen is missing on this machine, so no SSH certificate can be taken back."
                )
                raise ConnectorError(message, permanent=True) from None
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                raise ConnectorError(
                    say("The list of revoked SSH certificates could not be made.")
                ) from error
            write_whole(self.krl_file, krl.read_bytes(), mode=READABLE)
