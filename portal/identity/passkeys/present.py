"""What the pages say of a passkey."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.core.language import _
from portal.identity.passkeys.ceremony import credential_digest, from_base64url
from portal.identity.passkeys.model import Passkey

#: Hex digits of a credential's digest that eyes compare.
SHORT = 8


@dataclass(frozen=True, slots=True)
class PasskeyLine:
    """One passkey; times in its owner's zone. `mark` is the beginning of its digest, as evidence names it."""

    id: int
    name: str
    kind: str
    mark: str
    enrolled_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def lines_of(passkeys: Iterable[Passkey], zone: ZoneInfo) -> list[PasskeyLine]:
    """A line for each."""

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone) if moment else None

    return [
        PasskeyLine(
            id=passkey.id,
            name=passkey.name,
            kind=_kind(passkey),
            mark=short_mark(credential_digest(from_base64url(passkey.credential_id))),
            enrolled_at=passkey.enrolled_at.astimezone(zone),
            last_used_at=local(passkey.last_used_at),
            revoked_at=local(passkey.revoked_at),
        )
        for passkey in passkeys
    ]


def short_mark(digest: str) -> str:
    """The first digits of a credential's digest."""
    return digest.removeprefix("sha256:")[:SHORT]


def _kind(passkey: Passkey) -> str:
    if passkey.synced:
        return _("Carried to your devices by a password manager")
    if "internal" in passkey.transports:
        return _("In one device")
    if {"usb", "nfc", "ble"} & set(passkey.transports):
        return _("Security key")
    return _("Passkey")
